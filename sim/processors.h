// Which processor a simulated thread runs on, and on which it may.
#ifndef JACQUARD_SIM_PROCESSORS_H_
#define JACQUARD_SIM_PROCESSORS_H_

#include <sched.h>
#include <sys/types.h>

#include <cstddef>
#include <cstdint>

namespace jacquard::sim {

// As getcpu(), for the running simulated thread. Either result may be null. `pc` is the call.
int GetProcessor(unsigned* processor, unsigned* node, uintptr_t pc);

// As the system calls, for the simulated thread with the number `tid`, or the running one if that
// is 0: the real thread stays where it may be. Negative: an error. Those of others are real.
long GetAffinity(pid_t tid, size_t size, cpu_set_t* set, uintptr_t pc);
long SetAffinity(pid_t tid, size_t size, const cpu_set_t* set, uintptr_t pc);

// The set of processors for a thread that is to run on `wanted`: those of them that are there. Null
// if none is. It stays for as long as the execution does.
const cpu_set_t* ProcessorsAmong(const cpu_set_t& wanted);

// What simulated threads are told of each other's scheduling: all are the real thread, which is 0.
pid_t RealThreadOf(pid_t tid);

// After an execution, if it has set any.
extern bool affinities_set;
void ForgetAffinities();

}  // namespace jacquard::sim

#endif  // JACQUARD_SIM_PROCESSORS_H_
