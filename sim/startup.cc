// Before main: the processor must be one that the runtime is built for, and addresses must be the
// same in every run.
#include <errno.h>
#include <sys/personality.h>
#include <unistd.h>

#include <cstdlib>

#include "sim/execute_again.h"
#include "sim/message.h"
#include "sim/valgrind.h"

namespace jacquard::sim {
namespace {

// The runtime is built for x86-64-v2. This function is not, as far as it goes.
__attribute__((constructor(101))) void CheckProcessor() {
  __builtin_cpu_init();
  if (!__builtin_cpu_supports("popcnt") || !__builtin_cpu_supports("sse4.2")) {
    Die("this processor lacks POPCNT or SSE 4.2: an x86-64 processor from about 2009 on is needed");
  }
}

constexpr char kMarker[] = "JACQUARD_FIXED_ADDRESSES";

// Executes the program again without address randomisation, as ThreadSanitizer does. glibc passes
// main's arguments.
__attribute__((constructor(101))) void FixAddresses(int /*argc*/, char** argv, char** /*env*/) {
  if (std::getenv(kMarker) != nullptr) {
    unsetenv(kMarker);
    return;
  }
  if (RunsInValgrind()) return;  // it lays the addresses out itself, and lets nobody do that again
  const int old = personality(0xFFFF'FFFF);
  if (old == -1 || (old & ADDR_NO_RANDOMIZE) != 0) return;
  if (personality(old | ADDR_NO_RANDOMIZE) != -1) {
    ExecuteAgain(kMarker, "1", argv);
  }
  Warn(
      "address randomisation cannot be switched off here: a program that branches on addresses may "
      "not replay");
}

}  // namespace
}  // namespace jacquard::sim
