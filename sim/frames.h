// The functions that are going on, innermost first, as far as frame pointers tell: the runtime and
// the code under test keep them, libraries may not.
#ifndef JACQUARD_SIM_FRAMES_H_
#define JACQUARD_SIM_FRAMES_H_

#include <cstdint>

namespace jacquard::sim {

// Calls `visit(frame, return_address)` for the frame at `frame`, which lies on the stack from
// `bottom` to `top`, and for those above it, until it returns false. Reads nothing outside of that
// stack. Safe in a signal handler, if `visit` is.
template <class Visit>
void VisitFrames(uintptr_t frame, uintptr_t bottom, uintptr_t top, Visit visit) {
  while (frame >= bottom && frame % sizeof(uintptr_t) == 0 && frame + 2 * sizeof(frame) <= top) {
    const auto* const saved = reinterpret_cast<const uintptr_t*>(frame);
    if (!visit(frame, saved[1]) || saved[0] <= frame) return;
    frame = saved[0];
  }
}

}  // namespace jacquard::sim

#endif  // JACQUARD_SIM_FRAMES_H_
