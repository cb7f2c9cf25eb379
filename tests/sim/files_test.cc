// Files, standard streams, the working directory: an execution finds them as the first one did.
#include <dirent.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "sim/runtime.h"
#include "tests/sim/searches.h"

namespace jacquard {
namespace {

std::atomic<int> steps = 0;

std::string Contents(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

int OpenDescriptors() {
  int count = 0;
  DIR* const folder = opendir("/proc/self/fd");
  while (readdir(folder) != nullptr) ++count;
  closedir(folder);
  return count;
}

// As a program leaves them that ends: there are many more than a process may have.
TEST(Files, AreClosedInTheEnd) {
  const std::string path = std::string(std::getenv("TEST_TMPDIR")) + "/written";
  const int before = OpenDescriptors();
  ExpectPass(Walk(
      [&path] {
        ++steps;
        Check(open("/dev/null", O_RDONLY) >= 0, "open");
        int ends[2];
        Check(pipe(ends) == 0, "pipe");
        Check(socket(AF_UNIX, SOCK_STREAM, 0) >= 0, "socket");
        Check(dup(0) >= 0, "dup");
        Check(fcntl(0, F_DUPFD, 10) >= 0, "fcntl");
        FILE* const stream = fopen(path.c_str(), "w");
        Check(stream != nullptr && fputs("a text", stream) >= 0, "fopen");
        Check(opendir("/") != nullptr, "opendir");
        Check(fdopen(open("/dev/null", O_RDONLY), "r") != nullptr, "fdopen");
        std::thread([] { Check(open("/dev/null", O_RDONLY) >= 0, "by a thread"); }).join();
      },
      500));
  EXPECT_EQ(OpenDescriptors(), before);
  EXPECT_EQ(Contents(path), "a text");
}

TEST(Files, ThatTheExecutionClosesAreNotClosedAgain) {
  int mine = -1;  // not the execution's, under a number that one had
  ExpectPass(Walk([&mine] {
    ++steps;
    const int file = open("/dev/null", O_RDONLY);
    close(file);
    FILE* const stream = fopen("/dev/null", "r");
    fclose(stream);
    mine = file;
  }));
  EXPECT_EQ(open("/dev/null", O_RDONLY), mine);
  ExpectPass(Walk([] { ++steps; }));
  EXPECT_EQ(close(mine), 0);
}

TEST(Files, FromBeforeTheExecutionComeBack) {
  const int file = open("/dev/null", O_RDONLY | O_CLOEXEC);
  struct stat before;
  ASSERT_EQ(fstat(file, &before), 0);
  const int open_before = OpenDescriptors();
  ExpectPass(Walk([file, &before] {
    ++steps;
    struct stat now;
    Check(fstat(file, &now) == 0 && now.st_rdev == before.st_rdev, "as it was");
    close(file);
    Check(open("/", O_RDONLY) == file, "in its place");
    Check(dup2(0, file) == file, "and another one");
  }));
  struct stat after;
  EXPECT_EQ(fstat(file, &after), 0);
  EXPECT_EQ(after.st_rdev, before.st_rdev);
  EXPECT_EQ(fcntl(file, F_GETFD), FD_CLOEXEC);
  EXPECT_EQ(OpenDescriptors(), open_before);
  close(file);
}

// One that a constructor of a global has opened, say, and main closes.
TEST(Files, AreStreamsFromBeforeTheExecution) {
  const std::string path = std::string(std::getenv("TEST_TMPDIR")) + "/log";
  FILE* const log = fopen(path.c_str(), "w");
  ExpectPass(Walk(
      [&] {
        ++steps;
        Check(fputs("a line\n", log) >= 0, "it is open");
        Check(fclose(log) == 0, "closed");
        Check(fflush(log) == 0, "as far as anybody can see");
      },
      3));
  EXPECT_EQ(fclose(log), 0);
  EXPECT_EQ(Contents(path), "a line\na line\na line\n");
  const int before = OpenDescriptors();
  ExpectPass(Walk([] {
    ++steps;
    FILE* const output = fdopen(1, "w");
    Check(output != nullptr && fclose(output) == 0, "a second stream for it");
    char* text = nullptr;
    size_t size = 0;
    FILE* const memory = open_memstream(&text, &size);
    fputs("text", memory);
    Check(fclose(memory) == 0 && std::string(text) == "text", "a stream in memory");
    free(text);
  }));
  EXPECT_GE(fcntl(1, F_GETFD), 0);
  EXPECT_EQ(OpenDescriptors(), before);
}

// A stream that was made for it before does not make it another one's.
TEST(Files, FromBeforeTheExecutionComeBackFromStreamsAndDirectories) {
  const int folder = open("/", O_RDONLY);
  const int null = open("/dev/null", O_RDONLY);
  const int open_before = OpenDescriptors();
  ExpectPass(Walk([=] {
    ++steps;
    DIR* const directory = fdopendir(folder);
    Check(directory != nullptr && closedir(directory) == 0, "a directory");
    FILE* const stream = fdopen(null, "r");
    Check(stream != nullptr && fclose(stream) == 0, "a stream");
  }));
  EXPECT_EQ(OpenDescriptors(), open_before);
  EXPECT_EQ(close(folder), 0);
  EXPECT_EQ(close(null), 0);
}

TEST(Files, OfStreamsFromBeforeTheExecutionComeBack) {
  const int file = open("/dev/null", O_RDONLY);
  FILE* const stream = fdopen(file, "r");
  ExpectPass(Walk([file] {
    TakeStep();
    Check(close(file) == 0, "it is open");
  }));
  EXPECT_GE(fcntl(file, F_GETFD), 0);
  EXPECT_EQ(fclose(stream), 0);
}

// As daemons do.
TEST(Files, ComeBackIfAllAreClosed) {
  std::vector<int> files;
  std::vector<struct stat> before(5);
  for (struct stat& status : before) {
    files.push_back(open(files.size() % 2 == 0 ? "/" : "/dev/null", O_RDONLY));
    ASSERT_EQ(fstat(files.back(), &status), 0);
  }
  ExpectPass(Walk(
      [] {
        ++steps;
        for (int file = 3; file < 1024; ++file) close(file);
        Check(open("/dev/zero", O_RDONLY) == 3, "the first free one");
      },
      20));
  for (size_t i = 0; i < files.size(); ++i) {
    struct stat after;
    ASSERT_EQ(fstat(files[i], &after), 0) << i;
    EXPECT_EQ(after.st_ino, before[i].st_ino) << i;
    close(files[i]);
  }
}

// The text is where it belongs before what it is written to goes.
TEST(Files, HaveWhatWasWritten) {
  const std::string path = std::string(std::getenv("TEST_TMPDIR")) + "/kept";
  ExpectPass(Walk(
      [&path] {
        ++steps;
        close(1);
        Check(open(path.c_str(), O_CREAT | O_TRUNC | O_WRONLY, 0600) == 1, "in its place");
        printf("output");
        FILE* const stream = fopen((path + "2").c_str(), "w");
        setvbuf(stream, static_cast<char*>(malloc(1 << 20)), _IOFBF, 1 << 20);
        fputs("a text", stream);
      },
      20, {.memory = kTestMemory, .check_leaks = false}));
  EXPECT_EQ(Contents(path), "output");
  EXPECT_EQ(Contents(path + "2"), "a text");
  EXPECT_EQ(ferror(stdout), 0);
}

// Another thread may come between two calls.
TEST(Files, AreReadAndWrittenInSteps) {
  const auto body = [](bool locks) {
    return [locks] {
      const int file = memfd_create("counter", 0);
      std::mutex mutex;
      const auto increment = [&] {
        std::unique_lock lock(mutex, std::defer_lock);
        if (locks) lock.lock();
        int count = 0;
        pread(file, &count, sizeof(count), 0);
        ++count;
        const iovec part = {&count, sizeof(count)};
        Check(pwritev(file, &part, 1, 0) == sizeof(count), "written");
      };
      std::thread other(increment);
      increment();
      other.join();
      int count = 0;
      Check(pread(file, &count, sizeof(count), 0) == sizeof(count) && count == 2, "both");
    };
  };
  ExpectPass(Walk(body(/*locks=*/true)));
  EXPECT_EQ(Walk(body(/*locks=*/false)).verdict.signature, "invariant|both");
}

TEST(StandardStreams, ComeBack) {
  const std::string path = std::string(std::getenv("TEST_TMPDIR")) + "/output";
  struct stat before;
  ASSERT_EQ(fstat(1, &before), 0);
  for (void (*const lose)(const char*) :
       {+[](const char*) { close(1); },
        +[](const char*) {
          close(1);
          close(2);
        },
        +[](const char*) { fclose(stdout); }, +[](const char*) { fclose(stderr); },
        +[](const char* file) { freopen(file, "w", stdout); },
        +[](const char* file) { dup2(open(file, O_CREAT | O_RDWR, 0600), 1); }}) {
    ExpectPass(Walk(
        [&] {
          ++steps;
          Check(printf(" ") == 1 && fflush(stdout) == 0, "it can be written to");
          Check(write(2, "", 0) == 0, "and so can this");
          lose(path.c_str());
        },
        20));
    struct stat after;
    ASSERT_EQ(fstat(1, &after), 0);
    EXPECT_EQ(after.st_ino, before.st_ino);
    EXPECT_EQ(fileno(stdout), 1);
  }
}

// The flags of a file from before, also of one that is closed then.
TEST(Flags, ComeBack) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  for (const bool closes : {false, true}) {
    ExpectPass(Walk([&ends, closes] {
      ++steps;
      const int flags = fcntl(ends[0], F_GETFL);
      Check((flags & (O_NONBLOCK | O_APPEND)) == 0, "as they were");
      Check(fcntl(ends[0], F_SETFL, flags | O_NONBLOCK) == 0, "changed");
      Check(fcntl(ends[0], F_SETFL, flags | O_NONBLOCK | O_APPEND) == 0, "changed again");
      if (closes) close(ends[0]);
    }));
    EXPECT_EQ(fcntl(ends[0], F_GETFL) & (O_NONBLOCK | O_APPEND), 0);
  }
  close(ends[0]);
  close(ends[1]);
}

TEST(Limits, ComeBack) {
  rlimit before = {};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  ASSERT_GT(before.rlim_cur, 100u);
  for (const bool by_prlimit : {false, true}) {
    ExpectPass(Walk([&before, by_prlimit] {
      ++steps;
      rlimit limit = {};
      Check(getrlimit(RLIMIT_NOFILE, &limit) == 0, "there is one");
      Check(limit.rlim_cur == before.rlim_cur, "as it was");
      limit.rlim_cur = 90;
      const int result = by_prlimit ? prlimit(getpid(), RLIMIT_NOFILE, &limit, nullptr)
                                    : setrlimit(RLIMIT_NOFILE, &limit);
      Check(result == 0, "changed");
      limit.rlim_cur = 80;
      Check(setrlimit(RLIMIT_NOFILE, &limit) == 0, "changed again");
    }));
    rlimit after = {};
    ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &after), 0);
    EXPECT_EQ(after.rlim_cur, before.rlim_cur);
  }
}

TEST(WorkingDirectory, ComesBack) {
  char before[4096];
  ASSERT_NE(getcwd(before, sizeof(before)), nullptr);
  const mode_t mask = umask(022);
  ExpectPass(Walk([&before] {
    ++steps;
    char now[4096];
    Check(getcwd(now, sizeof(now)) != nullptr && std::string(now) == before, "the directory");
    Check(chdir("/") == 0 && chdir("/tmp") == 0, "changed");
    Check(umask(077) == 022 && umask(0) == 077, "the mask");
  }));
  EXPECT_EQ(umask(mask), 022u);
}

}  // namespace
}  // namespace jacquard
