// The validator on real threads.
#include <pthread.h>
#include <unwind.h>

#include <atomic>

#include "lock/check.h"
#include "lock/lockdep/this_thread.h"

namespace jacquard::lock::lockdep {
namespace {

// Every function from the call of the validator outwards: those in between are its own.
void Capture(std::uintptr_t place, Stack& stack) {
  struct Walk {
    std::uintptr_t place;
    Stack& stack;
    bool begun = false;
  } walk = {place, stack};
  _Unwind_Backtrace(
      [](_Unwind_Context* context, void* argument) {
        Walk& walk = *static_cast<Walk*>(argument);
        const auto pc = static_cast<std::uintptr_t>(_Unwind_GetIP(context));
        walk.begun |= pc == walk.place;
        if (!walk.begun) return _URC_NO_REASON;
        if (walk.stack.count == Stack::kMost || pc == 0) return _URC_END_OF_STACK;
        walk.stack.frames[walk.stack.count++] = pc;
        return _URC_NO_REASON;
      },
      &walk);
  if (stack.count == 0) stack.frames[stack.count++] = place;
}

constinit thread_local Task* current = nullptr;

void EndThread(void* task) {
  auto* const ended = static_cast<Task*>(task);
  TheChecker().CheckNothingHeld(*ended, 0);
  TheChecker().RemoveTask(*ended);
  current = nullptr;
  delete ended;
}

// A key's destructor runs after those of thread_local objects, which may still take locks.
pthread_key_t MakeKey() {
  pthread_key_t key = 0;
  JACQUARD_LOCK_CHECK(pthread_key_create(&key, EndThread) == 0,
                      "no key left for the locks of a thread");
  return key;
}

[[gnu::noinline, gnu::cold]] Task* MakeTask() {
  static const pthread_key_t key = MakeKey();
  static constinit std::atomic<int> tasks = 0;
  // Relaxed: a number of its own is all that is wanted.
  auto* const task = new Task(tasks.fetch_add(1, std::memory_order_relaxed));
  current = task;
  JACQUARD_LOCK_CHECK(pthread_setspecific(key, task) == 0, "no memory for the locks of a thread");
  TheChecker().AddTask(*task);
  return task;
}

}  // namespace

Checker& TheChecker() {
  static Checker& checker = *new Checker(Capture, PrintReport);
  return checker;
}

std::vector<SourceFrame> LookUp(std::uintptr_t place) { return Symbolize(place); }

Task* CurrentTask() { return current != nullptr ? current : MakeTask(); }

}  // namespace jacquard::lock::lockdep
