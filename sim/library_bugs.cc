#include "sim/library_bugs.h"

#include <string_view>

#include "sim/caller.h"
#include "sim/engine.h"
#include "sim/fiber.h"
#include "sim/frames.h"
#include "sim/real.h"
#include "sim/symbolize.h"

// libstdc++'s table of those who wait for atomic objects: an inline function's static variable.
// Not there if nothing in the program waits.
// NOLINTNEXTLINE(readability-identifier-naming)
extern "C" [[gnu::weak]] char _ZZNSt8__detail18__waiter_pool_base6_S_forEPKvE3__w;

namespace jacquard::sim {
namespace {

// 16 entries of two cache lines.
constexpr size_t kTableSize = size_t{16} * 2 * 64;

// Whether the code at `pc`, or what the compiler has inlined there, stands in the library's
// `header`. Sets `outside` at the first function that is none of those which `passes(frame)` lets
// pass.
template <class Passes>
bool StandsIn(std::string_view header, uintptr_t pc, Passes passes, bool& outside) {
  for (const SourceFrame& frame : Symbolize(pc)) {
    if (frame.file.ends_with(header)) return true;
    outside = outside || !passes(frame);
    if (outside) return false;
  }
  return false;
}

// Whether what the thread does at `pc` is done by a function in `header`: itself, or by what that
// calls, as far as it passes.
template <class Passes>
bool IsDoneIn(std::string_view header, const SimThread& thread, uintptr_t pc, Passes passes) {
  const Backstage backstage;
  bool outside = false;
  bool found = StandsIn(header, pc, passes, outside);
  if (found || outside) return found;
  const bool runs = &thread == engine.current;
  const auto frame = runs ? reinterpret_cast<uintptr_t>(__builtin_frame_address(0))
                          : FramePointerOf(thread.context);
  VisitFrames(frame, thread.stack_bottom, thread.stack_bottom + kStackSize,
              [&](uintptr_t /*frame*/, uintptr_t caller) {
                if (caller != pc && !FromRuntime(reinterpret_cast<const void*>(caller)))
                  found = StandsIn(header, caller, passes, outside);
                return !found && !outside;
              });
  return found;
}

// Whether the thread sleeps in std::counting_semaphore::acquire although there is a unit.
bool IsOverlooked(const SimThread& thread) {
  if (thread.wait != WaitReason::kFutex || thread.deadline != Engine::kNoDeadline) return false;
  int word;  // which need not be there: FUTEX_REQUEUE does not look at it
  if (CopyIfThere(&word, thread.wait_address, sizeof(word)) != sizeof(word) || word == 0)
    return false;
  return IsDoneIn("/bits/semaphore_base.h", thread, thread.wait_pc, IsLibraryFrame);
}

}  // namespace

constinit WaiterCounts waiter_counts = {};

void BeginLibraryBugs(bool reported) {
  waiter_counts = {};
  const char* const table = &_ZZNSt8__detail18__waiter_pool_base6_S_forEPKvE3__w;
  if (reported || table == nullptr) return;
  waiter_counts = {reinterpret_cast<uintptr_t>(table), kTableSize};
}

bool WakeOverlooked() {
  if (engine.options().library_bugs) return false;
  bool any = false;
  for (const int id : MembersOf(engine.alive())) {
    SimThread& thread = engine.thread(id);
    if (!IsOverlooked(thread)) continue;
    engine.MakeRunnable(thread);
    engine.NoteLibraryBug();
    any = true;
  }
  return any;
}

bool IsInAtomicSharedPtr(const SimThread& thread, uintptr_t pc) {
  // std::swap of the pointer; not what destroys that which it points to.
  const auto swaps = [](const SourceFrame& frame) { return frame.file.ends_with("/bits/move.h"); };
  return IsDoneIn("/bits/shared_ptr_atomic.h", thread, pc, swaps);
}

}  // namespace jacquard::sim
