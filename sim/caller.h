// Who called an interposed function: the executable itself, or a shared library for its own
// purposes.
#ifndef JACQUARD_SIM_CALLER_H_
#define JACQUARD_SIM_CALLER_H_

// Set by the linker.
extern "C" const char __executable_start;
extern "C" const char etext;

namespace jacquard::sim {

// Whether the return address `caller` lies in the executable's code.
inline bool FromExecutable(const void* caller) {
  return caller >= &__executable_start && caller < &etext;
}

}  // namespace jacquard::sim

#endif  // JACQUARD_SIM_CALLER_H_
