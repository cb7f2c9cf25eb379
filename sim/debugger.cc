// What tools/gdb/jacquard.py reads: where simulated threads are kept, for a debugger that knows
// nothing of the runtime's types (it is built without debug information).
#include "sim/engine.h"

namespace jacquard::sim {

// Addresses, all known when the program is linked. A member's offset is its distance from
// thread[0]; a thread's size that between thread[0] and thread[1].
struct DebuggerView {
  const bool* executing;
  SimThread* const* current;
  const int* thread_count;
  const ThreadSet* alive;
  const SimThread* threads[2];
  const Context* context;
  const WaitReason* wait;
  const void* const* wait_address;
  const int* wait_thread;
  const char* wait_names[14];  // by WaitReason

  static const DebuggerView kView;  // here, as only friends see the engine's members
};

constexpr DebuggerView DebuggerView::kView = {
    .executing = &engine.executing,
    .current = &engine.current,
    .thread_count = &engine.thread_count_,
    .alive = &engine.alive_,
    .threads = {&engine.threads_[0], &engine.threads_[1]},
    .context = &engine.threads_[0].context,
    .wait = &engine.threads_[0].wait,
    .wait_address = &engine.threads_[0].wait_address,
    .wait_thread = &engine.threads_[0].wait_thread,
    .wait_names = {"can run", "waits for a futex", "waits for a mutex",
                   "waits to share a reader/writer lock", "waits for a reader/writer lock",
                   "waits for an initialisation", "waits for a condition variable",
                   "waits for a semaphore", "waits at a barrier", "waits for a descriptor",
                   "waits for a thread to end", "sleeps", "waits for a signal", "spins"},
};

// Nothing in the program refers to it: it has to be kept by name.
extern "C" [[gnu::used, gnu::retain]] constinit const DebuggerView jacquard_debugger_view =
    DebuggerView::kView;

static_assert(static_cast<int>(WaitReason::kSpin) + 1 ==
              sizeof(DebuggerView::wait_names) / sizeof(char*));

}  // namespace jacquard::sim
