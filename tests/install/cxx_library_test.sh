#!/bin/bash
# What programs have of the C++ library: its blocks, the exception that is handled, a terminate handler.
#   cxx_library_test.sh INSTALLER RUNFILES...
set -u
. "$PWD/tests/install/checks.sh"

begin "${@:2}"
export JACQUARD_OPTIONS='executions=200 quiet=1'

# Where nobody else uses the C++ library, what it allocates is the program's, and is watched.
cat >released.cc <<'END'
#include <memory_resource>
#include <thread>
int main() {
  std::pmr::monotonic_buffer_resource buffer;
  volatile char* const bytes = static_cast<char*>(buffer.allocate(16));
  bytes[0] = 0;
  buffer.release();
  std::thread([] {}).join();
  return bytes[0];
}
END
ends 0 'a program' jacquard-c++ -std=c++20 -o released released.cc
ends 1 'its run' ./released
says 'its run' '^heap error: use after free'

# The exception that is being handled is its own, and no leak.
cat >exits.cc <<'END'
#include <cstdlib>
struct Large { int numbers[10]; };
__attribute__((noinline)) void ClearStack() {
  volatile char bytes[8192];
  for (volatile char& byte : bytes) byte = 0;
}
int main() {
  try {
    throw Large();
  } catch (Large&) {
    try {
      throw 2;
    } catch (int) {
    }
    ClearStack();
    std::exit(0);
  }
}
END
ends 0 'a program that exits in a handler' jacquard-c++ -O1 -o exits exits.cc
ends 0 'its run' ./exits
# A handler that a constructor has set serves main.
cat >terminates.cc <<'END'
#include <unistd.h>
#include <exception>
#include <thread>
const bool set = (std::set_terminate([] { _exit(0); }), true);
int main() {
  std::thread([] {
    if (set) throw 1;
  }).join();
  return 1;
}
END
ends 0 'a program that handles terminate' jacquard-c++ -o terminates terminates.cc
JACQUARD_OPTIONS='executions=100 status=report' ends 0 'its run' ./terminates

finish
