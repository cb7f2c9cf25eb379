// The real thread that looks whether executions still take steps.
#ifndef JACQUARD_SIM_WATCHDOG_H_
#define JACQUARD_SIM_WATCHDOG_H_

namespace jacquard::sim {

// Starts it; once in a process.
void StartWatchdog();

}  // namespace jacquard::sim

#endif  // JACQUARD_SIM_WATCHDOG_H_
