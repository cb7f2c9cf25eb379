// exit and its like, which would end the process: within an execution they end that.
#include <stdlib.h>
#include <unistd.h>

#include <string>

#include "sim/engine.h"
#include "sim/real.h"

namespace jacquard::sim {

void Engine::EndProgram(std::string_view function, int status) {
  switch (options_.exits) {
    case ExitMode::kIsMisplaced:
      Fail(VerdictKind::kExit, function,
           "the body ends the process, with status " + std::to_string(status));
    case ExitMode::kMustBeZero:
      if (status != 0) {
        Fail(VerdictKind::kExit, "status " + std::to_string(status),
             "the program ends with a status that is a failure");
      }
      break;
    case ExitMode::kIsFree:
      break;
  }
  GiveUp();
}

}  // namespace jacquard::sim

using jacquard::sim::engine;

extern "C" {

// What is registered for the end of the process within an execution is rolled back, and not called.
#define JACQUARD_EXIT(name, specification)                            \
  void name(int status) specification {                               \
    if (engine.OnExecutingThread()) engine.EndProgram(#name, status); \
    JACQUARD_REAL(name)(status);                                      \
    __builtin_unreachable();                                          \
  }

JACQUARD_EXIT(exit, noexcept)
JACQUARD_EXIT(_exit, )
JACQUARD_EXIT(_Exit, noexcept)
JACQUARD_EXIT(quick_exit, noexcept)

}  // extern "C"
