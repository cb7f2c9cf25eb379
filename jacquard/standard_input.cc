#include "jacquard/standard_input.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <iostream>

namespace jacquard {

StandardInput::StandardInput() {
  struct stat status;
  if (fstat(STDIN_FILENO, &status) == 0 && S_ISREG(status.st_mode))
    begin_ = lseek(STDIN_FILENO, 0, SEEK_CUR);
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
