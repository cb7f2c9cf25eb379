// A simulated thread, as the engine sees it.
#ifndef JACQUARD_SIM_THREAD_H_
#define JACQUARD_SIM_THREAD_H_

#include <locale.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>

#include <cstdint>

#include "sim/fiber.h"
#include "sim/held_locks.h"
#include "sim/plain_loops.h"
#include "sim/spin.h"
#include "sim/strategy.h"
#include "sim/thread_storage.h"
#include "sim/virtual_clock.h"

namespace jacquard::sim {

// What a thread that cannot run is waiting for.
enum class WaitReason : uint8_t {
  kNone,
  kFutex,       // `wait_address` is the futex word
  kMutex,       // `wait_address` is the mutex, or a spin lock
  kShared,      // `wait_address` is a reader/writer lock, to be locked shared
  kExclusive,   // the same, to be locked exclusively
  kOnce,        // `wait_address` is what somebody else initialises
  kCondition,   // `wait_address` is the condition variable, `wait_mutex` its mutex
  kSemaphore,   // `wait_address` is the semaphore
  kBarrier,     // `wait_address` is the barrier
  kDescriptor,  // a file to be ready (descriptors.h)
  kJoin,        // `wait_thread` is the thread to end
  kSleep,       // nothing but time
  kSignal,      // one of `awaited_signals`; `wait_address` is the thread itself
  kSpin,        // what the spin detector has read
};

// What each thread begins with, in every execution anew: all of it is written at once.
struct ThreadState {
  int operation = -1;  // the named operation that it is in
  // Has been picked and not yet taken a step: no new pick before its next operation.
  bool fresh = true;
  bool detached = false;
  bool joined = false;

  WaitReason wait = WaitReason::kNone;
  // Somebody has to wake it.
  bool sleeps() const { return wait == WaitReason::kFutex || wait == WaitReason::kCondition; }
  bool timed_out = false;               // how the last timed wait ended
  bool wakes_spuriously = false;        // the wait may end for no reason
  bool woken_spuriously = false;        // it has done so
  int spurious_wake_ups = 0;            // in a row
  const void* spurious_wait = nullptr;  // what it woke up from for no reason the last time
  const void* wait_address = nullptr;
  const void* wait_mutex = nullptr;
  uintptr_t wait_pc = 0;  // where it has called what lets it wait
  int wait_thread = 0;
  uint32_t wait_bits = 0;    // of a futex bit-set wait
  uint64_t wait_ticket = 0;  // who has waited longest
  uint64_t wait_began = 0;   // virtual nanoseconds
  uint64_t deadline = 0;     // the same, if the wait is timed
  // The deadline of its last timed wait, and the step since when it has waited for that, perhaps
  // again and again.
  uint64_t last_deadline = 0;
  uint64_t deadline_step = 0;
  uint64_t awaited_signals = 0;
  int interrupted_by = 0;          // a signal, whose handler runs before it waits on
  bool restarts_calls = false;     // the last such signal has SA_RESTART
  bool in_timers_handler = false;  // while nobody else could run
  bool handles_late = false;       // what has been sent to it: behind its next step
  bool ends_in_library = false;    // a library's code without hooks runs at the thread's end
  bool is_amid_call = false;       // which goes on behind its next step: no handler there
  ClockLooks clock_looks;
  PlainLook plain_look;  // whether its plain reads are steps
  // How many steps and counted reads there had been when it left inline assembly.
  uint64_t steps_at_assembly = UINT64_MAX;
  int32_t reads_at_assembly = 0;

  // Weak compare-exchanges that have failed spuriously in a row, and the call of the last of them.
  int spurious_failures = 0;
  uintptr_t spurious_pc = 0;
  int ignores_races = 0;  // __tsan_ignore_thread_begin without its end
  // As pthread_setcancelstate and pthread_setcanceltype set them.
  int cancel_state = PTHREAD_CANCEL_ENABLE;
  int cancel_type = PTHREAD_CANCEL_DEFERRED;
  bool is_cancelled = false;       // by pthread_cancel
  bool wait_is_cancelled = false;  // the last wait has ended because of that
  bool leaves = false;             // its function has returned, or it unwinds its stack

  int call_depth = 0;  // may exceed SimThread::kMaxCallStack: deeper frames are not kept

  uintptr_t created_at = 0;  // the call that made it; 0 if the harness did
  int creator = -1;
  uint32_t children = 0;
  uint64_t created_step = 0;
  // Which thread it is in all executions: by its creator's lineage, and which of its children.
  uint64_t lineage = 0;
  uint32_t locks_taken = 0;               // since it began
  unsigned moves = 0;                     // from processor to processor
  const cpu_set_t* processors = nullptr;  // that it may run on; null: as the process (processors.h)

  // Engine::EndOfProgramsStack, as found when the context and the schedule were these.
  uintptr_t end_of_stack = 0;
  uint64_t end_schedule = 0;
  Context end_context = nullptr;

  size_t stack_wanted = 0;            // by its attributes
  void* (*start)(void*) = nullptr;    // for a thread made by pthread_create
  int (*c11_start)(void*) = nullptr;  // or by thrd_create, for what `start` calls
  void* argument = nullptr;
  void* result = nullptr;

  uintptr_t exit_frame = 0;  // the stack pointer of the runtime: pthread_exit leaves all below
  __pthread_unwind_buf_t* cleanup = nullptr;  // the innermost pthread_cleanup_push of C code
};

struct SimThread : ThreadState {
  static constexpr int kMaxCallStack = 256;
  static constexpr size_t kNameSize = 16;  // with the zero behind it, as in Linux

  Context context = nullptr;
  uintptr_t stack_bottom = 0;
  int id = 0;
  int storage_hold = 0;       // so many more times it begins with its storage, without asking
  int next_storage_hold = 1;  // once it asks
  uint64_t fs_base = 0;       // while it runs: its storage's, or kNoStorage until it asks for that
  ThreadStorage storage;
  ThreadSet bit = 0;

  char name[kNameSize] = {};  // as pthread_setname_np sets it
  bool has_locale = false;    // of its own, by uselocale, instead of the one before
  locale_t old_locale = nullptr;
  // Where that is not the same for all (signals.cc): what it blocks, and what of that it waits for.
  uint64_t signal_mask = 0;
  uint64_t pending_signals = 0;
  stack_t signal_stack = {};  // for handlers, if it has set one
  bool has_signal_stack = false;
  HeldLocks held;
  SpinDetector spin;
  uintptr_t call_stack[kMaxCallStack] = {};
  uintptr_t call_frames[kMaxCallStack] = {};  // of the same functions; 0: not known
};

}  // namespace jacquard::sim

#endif  // JACQUARD_SIM_THREAD_H_
