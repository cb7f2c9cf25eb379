// The threads of an execution: who they are, what each is about to do, and who can run.
#ifndef JACQUARD_SIM_THREAD_TABLE_H_
#define JACQUARD_SIM_THREAD_TABLE_H_

#include <pthread.h>

#include <cstddef>
#include <cstdint>

#include "sim/execute.h"
#include "sim/fiber.h"
#include "sim/step.h"
#include "sim/strategy.h"
#include "sim/thread.h"
#include "sim/thread_set.h"
#include "sim/thread_storage.h"

namespace jacquard::sim {

class ThreadTable {
 public:
  static constexpr uint64_t kNoDeadline = UINT64_MAX;  // of a wait

  SimThread* current = &driver_;  // never null

  // Whether the caller is on the stack that the running thread was given: nobody else ever is. (A
  // program may switch to stacks of its own.)
  bool OnStackOfCurrent() const {
    uintptr_t pointer;
    asm("mov %%rsp, %0" : "=r"(pointer));
    return pointer - current->stack_bottom < kStackSize;
  }

  // ---- who a thread is

  SimThread& thread(int id) { return threads_[id]; }
  // The thread on stack number `stack` in this execution; null if it is nobody's.
  SimThread* OwnerOfStack(int stack) {
    if (stack == kMaxThreads) return &stage_;
    return stack < thread_count_ ? &threads_[stack] : nullptr;
  }
  // The thread in whose thread-local storage `address` lies, if it has ended; else null. What an
  // execution begins with has storage until its end.
  const SimThread* EndedOwnerOfStorage(uintptr_t address) const {
    const uintptr_t id = OwnerOfStorage(address);
    if (id >= static_cast<uintptr_t>(thread_count_)) return nullptr;
    const SimThread& owner = threads_[id];
    return owner.start != nullptr && HasEnded(owner) ? &owner : nullptr;
  }
  int thread_count() const { return thread_count_; }
  SimThread* FindThread(pthread_t pthread);
  ThreadLocal FindThreadLocal(const void* address) const;
  // What gettid() tells the running thread: the same in every process, but for the first thread of
  // a program with a main of its own, which has the process's number.
  int CurrentTid() const;
  // The thread that gettid() tells this number. Null if it is somebody else's.
  SimThread* FindThreadOfTid(int tid);
  // The number that a thread has as the owner of a mutex. If one is locked before main, the first
  // thread of a program is its owner.
  int TidOf(const SimThread& thread) const {
    return thread.id == 0 ? first_tid_ : kFirstTid + thread.id;
  }
  // The number of the thread with that one; none of them if it is somebody else's.
  int ThreadOfTid(int tid) const { return tid == first_tid_ ? 0 : tid - kFirstTid; }

  // ---- what it does

  const PendingOperation& pending(const SimThread& thread) const { return pending_[thread.id]; }
  bool HasEnded(const SimThread& thread) const { return !Has(alive_, thread.id); }
  // Whether it waits and nothing has ended the wait yet.
  bool IsBlocked(const SimThread& thread) const { return !Has(enabled_, thread.id); }
  // Calls `visit(thread)` for each thread that waits for `object` in the given way, whether or not
  // something has ended the wait already.
  template <class Visit>
  void ForEachWaiter(WaitReason reason, const void* object, Visit visit) {
    for (int i = 0; i < thread_count_; ++i) {
      if (threads_[i].wait == reason && threads_[i].wait_address == object) visit(threads_[i]);
    }
  }
  bool IsSpinning(const SimThread& thread) const { return Has(spinning_, thread.id); }
  // Whether it waits in a call that only another thread can end.
  bool DependsOnOthers(const SimThread& thread) const {
    return !HasEnded(thread) && IsBlocked(thread) && thread.deadline == kNoDeadline &&
           !IsSpinning(thread);
  }
  ThreadSet alive() const { return alive_; }
  ThreadSet enabled() const { return enabled_ | timed_; }

 protected:
  friend struct DebuggerView;                      // debugger.cc
  static constexpr int kFirstTid = 1'000'000'000;  // far from real ones

  ThreadSet enabled_ = 0;    // can run
  ThreadSet timed_ = 0;      // wait, but may time out
  ThreadSet spinning_ = 0;   // wait for what they read to be written
  ThreadSet patient_ = 0;    // wait, and may time out only when nobody else can run
  ThreadSet alive_ = 0;      // have not ended
  ThreadSet joining_ = 0;    // wait for another one to end
  ThreadSet dismissed_ = 0;  // Engine::Dismiss
  int thread_count_ = 0;
  int first_tid_ = kFirstTid;
  bool is_program_ = false;  // with a main of its own, which has begun

  PendingOperation pending_[kMaxThreads] = {};  // by thread id: what each is about to do
  Site sites_[kMaxThreads] = {};                // and where, if somebody listens
  SimThread driver_;                            // the process's own thread, outside of executions
  SimThread stage_;                             // runs Begin and End, on storage of its own
  SimThread threads_[kMaxThreads];
};

}  // namespace jacquard::sim

#endif  // JACQUARD_SIM_THREAD_TABLE_H_
