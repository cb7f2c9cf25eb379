// Fibers: one machine stack per simulated thread, switched by Boost.Context.
#ifndef JACQUARD_SIM_FIBER_H_
#define JACQUARD_SIM_FIBER_H_

#include <boost/context/detail/fcontext.hpp>
#include <cstddef>
#include <cstdint>

namespace jacquard::sim {

using Context = boost::context::detail::fcontext_t;
using Transfer = boost::context::detail::transfer_t;

// Stacks lie at fixed addresses and are reused from execution to execution, so that addresses of
// locals are the same every time. Each has an inaccessible range below it, which even a function
// with large arrays does not step over: an overflow faults instead of corrupting its neighbour.
inline constexpr uintptr_t kStackArea = 0x1000'0000'0000;
inline constexpr size_t kStackStride = 1 << 20;
inline constexpr size_t kStackGuard = 64 << 10;
inline constexpr size_t kStackSize = kStackStride - kStackGuard;

// The lowest address of stack `index` and the first one above it.
inline uintptr_t StackBottom(int index) { return kStackArea + index * kStackStride + kStackGuard; }
inline uintptr_t StackTop(int index) { return kStackArea + (index + 1) * kStackStride; }

// Reserves the stacks 0 to `count` - 1. Call once. Ends the process with a message if the addresses
// are taken.
void ReserveStacks(int count);

// Gives signal handlers of the calling thread that ask for it (SA_ONSTACK) a stack of their own, so
// that they can report the overflow of another.
void ReserveSignalStack();

// A context that will call `entry` on the empty stack `index`. Whatever was on that stack is
// dropped: not to be called on it.
inline Context FreshContext(int index, void (*entry)(Transfer)) {
  return boost::context::detail::make_fcontext(reinterpret_cast<void*>(StackTop(index)), kStackSize,
                                               entry);
}

}  // namespace jacquard::sim

#endif  // JACQUARD_SIM_FIBER_H_
