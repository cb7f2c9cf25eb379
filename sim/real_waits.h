// What functions have in common that wait for the world outside of the simulation.
#ifndef JACQUARD_SIM_REAL_WAITS_H_
#define JACQUARD_SIM_REAL_WAITS_H_

#include <cerrno>
#include <cstdint>

#include "sim/descriptors.h"

namespace jacquard::sim {

// Whether a call by a simulated thread may wait for `file`: not if the file, or MSG_DONTWAIT among
// the call's `flags`, says that no call does. Counts as the thread's own doing, which the spin
// detector does not see.
bool MayWait(int file, int flags = 0);

// Whether `file` is ready for `events` (poll) now, or has an error to tell.
bool IsReady(int file, short events);

// A call that reads from, or accepts at, `file`: from the time on when there is something, unless
// it is interrupted by the handler of a signal before.
class InputCall : public DescriptorCall {
 public:
  InputCall(int file, const char* what, uintptr_t pc, int flags = 0);
  // What it returns.
  template <class Real>
  auto Return(const Real& real) const -> decltype(real()) {
    if (end_ != End::kInterrupted) return real();
    errno = EINTR;
    return -1;
  }

 private:
  End end_ = End::kReady;
};

}  // namespace jacquard::sim

#endif  // JACQUARD_SIM_REAL_WAITS_H_
