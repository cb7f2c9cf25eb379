// What classes of the C++ library demand of their callers and do not check: that a semaphore's
// release() stays within its maximum, and that a latch is not counted below zero.
//
// They are header code of which no function is left to interpose. An update is recognised by where
// it stands, in the debug information.
#ifndef JACQUARD_SIM_LIBRARY_CONTRACTS_H_
#define JACQUARD_SIM_LIBRARY_CONTRACTS_H_

#include <cstdint>

namespace jacquard::sim {

// The running thread has added `change` to an integer that was `old_value`, with release order, at
// `pc`. Ends the execution if that is an update of one of these classes which its contract forbids.
// The first call for each place reads debug information, which costs milliseconds.
void CheckLibraryContract(int64_t old_value, int64_t change, uintptr_t pc);

}  // namespace jacquard::sim

#endif  // JACQUARD_SIM_LIBRARY_CONTRACTS_H_
