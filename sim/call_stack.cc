#include "sim/call_stack.h"

#include <algorithm>
#include <cstdint>

#include "sim/engine.h"
#include "sim/frames.h"

namespace jacquard::sim {
namespace {

// The harness's functions before and after the threads count, too: they allocate and free.
bool IsKept() { return engine.OnExecutingThread() && (engine.hooks_on || engine.current->id < 0); }

// Visits the frames from the one at `frame` on that may be that of a function which has just called
// a hook: between the two is the hook's, if it has one.
template <class Visit>
void VisitFramesAtHook(void* frame, Visit visit) {
  constexpr int kMost = 3;
  const uintptr_t bottom = engine.current->stack_bottom;
  int count = 0;
  VisitFrames(reinterpret_cast<uintptr_t>(frame), bottom, bottom + kStackSize,
              [&](uintptr_t at, uintptr_t return_address) {
                return !visit(at, return_address) && ++count < kMost;
              });
}

}  // namespace

void EnterFunction(void* call_site) {
  if (!engine.seen_closely || !IsKept()) return;
  SimThread& me = *engine.current;
  const auto called_from = reinterpret_cast<uintptr_t>(call_site);
  uintptr_t frame = 0;
  VisitFramesAtHook(__builtin_frame_address(0), [&](uintptr_t at, uintptr_t return_address) {
    if (return_address == called_from) frame = at;
    return frame != 0;
  });
  // What has been there, or below, has been left.
  int depth = std::min(me.call_depth, SimThread::kMaxCallStack);
  while (depth > 0 && me.call_frames[depth - 1] != 0 && me.call_frames[depth - 1] <= frame)
    me.call_depth = --depth;
  if (me.call_depth < SimThread::kMaxCallStack) {
    me.call_stack[me.call_depth] = called_from;
    me.call_frames[me.call_depth] = frame;
  }
  ++me.call_depth;
}

void LeaveFunction() {
  if (!IsKept()) return;
  SimThread& me = *engine.current;
  if (me.call_depth == 0) return;
  int depth = std::min(me.call_depth, SimThread::kMaxCallStack);
  if (me.call_depth > depth || me.call_frames[depth - 1] == 0) {
    --me.call_depth;
    return;
  }
  // The hook's own frame lies where a function has been that was called before.
  VisitFramesAtHook(__builtin_frame_address(0), [&](uintptr_t at, uintptr_t return_address) {
    int found = depth;
    while (found > 0 && me.call_frames[found - 1] < at) --found;  // left, or not known
    if (found == 0 || me.call_frames[found - 1] != at || me.call_stack[found - 1] != return_address)
      return false;
    me.call_depth = found - 1;
    return true;
  });
}

}  // namespace jacquard::sim
