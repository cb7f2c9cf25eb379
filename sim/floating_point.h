// Whether a program looks at, or changes, the floating-point environment.
//
// Reading the control register costs more than the rest of a switch between threads. Programs that
// have no use for it need not pay.
#ifndef JACQUARD_SIM_FLOATING_POINT_H_
#define JACQUARD_SIM_FLOATING_POINT_H_

namespace jacquard::sim {

// Whether code of the executable, or of a shared library that it has loaded, reads or writes MXCSR
// by itself, or calls a function of <cfenv>. The system's own libraries, which put back what they
// change, do not count. True also means "perhaps". Costs about a millisecond.
bool UsesFloatingPointEnvironment();

}  // namespace jacquard::sim

#endif  // JACQUARD_SIM_FLOATING_POINT_H_
