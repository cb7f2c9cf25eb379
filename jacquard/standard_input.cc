#include "jacquard/standard_input.h"

#include <dlfcn.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <iostream>

namespace jacquard {
namespace {

// The C library's: a program may have a function of its own with such a name.
#define JACQUARD_C_LIBRARY(NAME) reinterpret_cast<decltype(&(NAME))>(dlsym(RTLD_NEXT, #NAME))

constexpr off_t kMostOfPipe = off_t{64} << 20;

// Whether there is something to read, or the end, within the time.
bool IsThere(int milliseconds) {
  pollfd input = {.fd = STDIN_FILENO, .events = POLLIN, .revents = 0};
  return JACQUARD_C_LIBRARY(poll)(&input, 1, milliseconds) == 1;
}

// Puts a file with all of standard input, a pipe, in its place; false: there is too much of it.
bool KeepPipe() {
  const int file = JACQUARD_C_LIBRARY(memfd_create)("standard input", MFD_CLOEXEC);
  if (file < 0) return true;
  static char bytes[1 << 16];
  bool says_so = false;
  ssize_t part = 0;
  off_t size = 0;
  do {
    constexpr int kPatience = 1000;
    if (!says_so && !IsThere(kPatience)) {
      std::fputs("jacquard: waits for the end of standard input, which is a pipe\n", stderr);
      says_so = true;
    }
    part = JACQUARD_C_LIBRARY(read)(STDIN_FILENO, bytes, sizeof(bytes));
    if (part > 0 && JACQUARD_C_LIBRARY(write)(file, bytes, static_cast<size_t>(part)) != part)
      return false;
    if (part > 0) size += part;
  } while (part > 0 && size <= kMostOfPipe);
  // Of an empty one one can read the end again and again.
  if (size != 0) {
    JACQUARD_C_LIBRARY(lseek)(file, 0, SEEK_SET);
    JACQUARD_C_LIBRARY(dup2)(file, STDIN_FILENO);
  }
  JACQUARD_C_LIBRARY(close)(file);
  return size <= kMostOfPipe;
}

}  // namespace

StandardInput::StandardInput() {
  struct stat status;
  if (fstat(STDIN_FILENO, &status) != 0) return;
  if ((S_ISFIFO(status.st_mode) || S_ISSOCK(status.st_mode)) && IsThere(0) && !KeepPipe()) {
    problem_ =
        "standard input is a pipe with more than 64 MiB, which each execution would read: use a "
        "file (program < input.txt)";
  }
  if (fstat(STDIN_FILENO, &status) == 0 && S_ISREG(status.st_mode))
    begin_ = JACQUARD_C_LIBRARY(lseek)(STDIN_FILENO, 0, SEEK_CUR);
}

void StandardInput::Rewind() const {
  if (begin_ < 0) return;
  // Each has a buffer of its own, or may have. What fseeko reads ahead fflush gives back.
  std::cin.clear();
  std::cin.rdbuf()->pubseekpos(begin_);
  fseeko(stdin, begin_, SEEK_SET);
  std::fflush(stdin);
}

}  // namespace jacquard
