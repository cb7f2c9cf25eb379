// The functions that a thread is in, for reports and for strategies that listen.
//
// clang calls the runtime at the begin and the end of each function with hooks, but not for those
// that a longjmp leaves: they are found out by the next function that begins where they have been
// on the stack. That is known of functions with a frame pointer on the thread's own stack; of all
// others only their number is.
#ifndef JACQUARD_SIM_CALL_STACK_H_
#define JACQUARD_SIM_CALL_STACK_H_

namespace jacquard::sim {

// A function begins, which `call_site` has called, or ends. Called by the hooks for that.
[[gnu::noinline]] void EnterFunction(void* call_site);
[[gnu::noinline]] void LeaveFunction();

}  // namespace jacquard::sim

#endif  // JACQUARD_SIM_CALL_STACK_H_
