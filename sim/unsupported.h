// What the runtime cannot simulate, said at once instead of hanging.
#ifndef JACQUARD_SIM_UNSUPPORTED_H_
#define JACQUARD_SIM_UNSUPPORTED_H_

#include <string>
#include <string_view>

#include "sim/engine.h"
#include "sim/faults.h"

namespace jacquard::sim {

// Ends the execution with the verdict "unsupported": the code under test has used `what`.
[[noreturn]] inline void Unsupported(std::string_view what) {
  engine.Fail(VerdictKind::kUnsupported, what, "cannot be simulated", {.pc = CallOfProgram()});
}

}  // namespace jacquard::sim

#endif  // JACQUARD_SIM_UNSUPPORTED_H_
