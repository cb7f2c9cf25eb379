// For code that keeps books about what a program does and is no part of it: a validator of locks,
// say. It is not instrumented, takes no steps, and what it remembers is not rolled back; so it has
// to be told when an execution begins and when a simulated thread ends.
#ifndef JACQUARD_SIM_BOOKKEEPER_H_
#define JACQUARD_SIM_BOOKKEEPER_H_

#include <cstdint>

namespace jacquard {

struct Bookkeeper {
  // Before the first thread of an execution runs.
  void (*begin_execution)();
  // The running thread has done all that it will do. May end the execution (Fail).
  void (*end_thread)();
};

// There is one at most; `bookkeeper` must stay. To be called before the first execution.
void SetBookkeeper(const Bookkeeper* bookkeeper);

// The calls that the running thread is in, as return addresses, innermost first; `most` at most.
// Only those of instrumented functions that were not inlined. Returns how many.
int RunningCalls(uintptr_t* calls, int most);

}  // namespace jacquard

#endif  // JACQUARD_SIM_BOOKKEEPER_H_
