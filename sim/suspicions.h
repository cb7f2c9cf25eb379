// Suspicions: whether those who sleep while others poll have lost a wake-up.
//
// Somebody can always run then, and nothing is wrong with the execution yet. When it has gone on
// like that for long, those who sleep are woken, as they might have been for no reason at any time,
// and the execution goes on as it is: nothing has happened in it that might not. If it comes to its
// end right behind that, it may be because of that, or by chance. So it is executed once more, as a
// control, with the same choices, but nobody is woken. If that one goes on and on, a wake-up was
// all that was missing.
#ifndef JACQUARD_SIM_SUSPICIONS_H_
#define JACQUARD_SIM_SUSPICIONS_H_

#include <cstdint>

#include "sim/execute.h"

namespace jacquard::sim {

// The rule of verdicts on who sleeps and has only to be woken.
inline constexpr const char* kLostWakeUp = "lost wake-up";

// The control of an execution that has come to its end right behind a suspicion.
struct Control {
  uint64_t step = 0;     // of the suspicion: there, nobody is woken; 0: it is no control
  bool goes_on = false;  // it is known to go on and on from there: that is its verdict
};

// The last execution has passed, and Engine::control tells its control. Executes that, and returns
// its verdict: it is an execution of the program as any other. Of what all executions add up to it
// is no part. Costs several times what the first one did.
Verdict ExecuteControl(Program& program, Strategy& strategy, const ExecutionOptions& options,
                       Trace* trace);

}  // namespace jacquard::sim

#endif  // JACQUARD_SIM_SUSPICIONS_H_
