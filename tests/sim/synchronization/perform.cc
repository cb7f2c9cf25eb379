#include "tests/sim/synchronization/perform.h"

#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <semaphore.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <climits>
#include <cstddef>
#include <string>

#include "sim/depth_first.h"
#include "sim/program.h"

namespace jacquard::synchronization {
namespace {

constexpr int64_t kPatience = 1'000'000;  // nanoseconds

// What the threads share; as it is here at the beginning of each execution.
pthread_mutex_t plain[kObjects] = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_MUTEX_INITIALIZER};
pthread_mutex_t checking[kObjects] = {PTHREAD_ERRORCHECK_MUTEX_INITIALIZER_NP,
                                      PTHREAD_ERRORCHECK_MUTEX_INITIALIZER_NP};
pthread_mutex_t recursive[kObjects] = {PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP,
                                       PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP};
pthread_cond_t conditions[kObjects] = {PTHREAD_COND_INITIALIZER, PTHREAD_COND_INITIALIZER};
pthread_rwlock_t rwlocks[kObjects] = {PTHREAD_RWLOCK_INITIALIZER, PTHREAD_RWLOCK_INITIALIZER};
pthread_once_t onces[kObjects] = {PTHREAD_ONCE_INIT, PTHREAD_ONCE_INIT};
sem_t semaphores[kObjects];
pthread_barrier_t barriers[kObjects];
std::atomic<uint32_t> words[kObjects];
thread_local bool has_called = false;  // the routine of a pthread_once

void CallFor(int object) {
  has_called = true;
  words[object].fetch_add(1);
}
// Whether this thread calls the routine.
int CallOnce(int object) {
  constexpr void (*kRoutines[kObjects])() = {[] { CallFor(0); }, [] { CallFor(1); }};
  has_called = false;
  pthread_once(&onces[object], kRoutines[object]);
  return has_called ? 1 : 0;
}

timespec Deadline() {
  timespec time = {};
  clock_gettime(CLOCK_REALTIME, &time);
  time.tv_nsec += kPatience;
  if (time.tv_nsec >= 1'000'000'000) {
    time.tv_nsec -= 1'000'000'000;
    ++time.tv_sec;
  }
  return time;
}

// The word's value. Not by a load, which could be stale.
uint32_t Look(int object) { return words[object].fetch_add(0); }

int SleepOn(std::atomic<uint32_t>& word, const timespec* patience) {
  return syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 0, patience, nullptr, 0) == 0 ? 0 : errno;
}

int Wake(std::atomic<uint32_t>& word, int most) {
  return static_cast<int>(syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, most, nullptr, nullptr, 0));
}

// What a call has said that leaves the error in errno.
int Zero(int result) { return result == 0 ? 0 : errno; }

class Performance : public jacquard::Program {
 public:
  explicit Performance(const synchronization::Program& program) : program_(program) {}

  int ThreadCount() const override { return static_cast<int>(program_.threads.size()); }
  void Begin() override {
    for (int i = 0; i < kObjects; ++i) {
      sem_init(&semaphores[i], 0, 0);
      pthread_barrier_init(&barriers[i], nullptr, 2);
    }
    for (Thread& thread : threads_) thread = {};
  }
  void RunThread(int id) override {
    Thread& thread = threads_[id];
    for (const Operation& operation : program_.threads[static_cast<size_t>(id)])
      thread.results[thread.count++] = Do(thread, operation);
  }

  std::vector<int> results() const {
    std::vector<int> all;
    for (const Thread& thread : threads_)
      all.insert(all.end(), thread.results, thread.results + thread.count);
    return all;
  }

 private:
  struct Thread {
    int results[kMostOperations] = {};
    int count = 0;
    int mutexes[kObjects] = {};  // so many times it has them
    int rwlocks[kObjects] = {};
  };

  pthread_mutex_t* MutexOf(int object) const {
    const MutexKind kind = program_.mutexes[object];
    return kind == MutexKind::kPlain      ? &plain[object]
           : kind == MutexKind::kChecking ? &checking[object]
                                          : &recursive[object];
  }

  // Does a call that takes something if it succeeds.
  static int Taking(int& held, int result) {
    if (result == 0) ++held;
    return result;
  }
  template <class Call>
  static int Giving(int& held, const Operation& operation, Call call) {
    if (held == 0 && !operation.reckless) return kLeftOut;
    const int result = call();
    if (result == 0) --held;
    return result;
  }

  int Await(int object) {
    while (Look(object) == 0) pthread_cond_wait(&conditions[object], MutexOf(0));
    return 0;
  }

  int Do(Thread& thread, const Operation& operation) {
    const int object = operation.object;
    pthread_mutex_t* const mutex = MutexOf(object);
    pthread_rwlock_t* const rwlock = &rwlocks[object];
    pthread_cond_t* const condition = &conditions[object];
    sem_t* const semaphore = &semaphores[object];
    int& mutexes = thread.mutexes[object];
    int& rwlocks_held = thread.rwlocks[object];
    const bool may_wait = thread.mutexes[0] != 0 || operation.reckless;
    switch (operation.act) {
      case Act::kLock:
        return Taking(mutexes, pthread_mutex_lock(mutex));
      case Act::kTryLock:
        return Taking(mutexes, pthread_mutex_trylock(mutex));
      case Act::kTimedLock: {
        const timespec deadline = Deadline();
        return Taking(mutexes, pthread_mutex_timedlock(mutex, &deadline));
      }
      case Act::kUnlock:
        return Giving(mutexes, operation, [mutex] { return pthread_mutex_unlock(mutex); });
      case Act::kWait:
        return may_wait ? pthread_cond_wait(condition, MutexOf(0)) : kLeftOut;
      case Act::kTimedWait: {
        if (!may_wait) return kLeftOut;
        const timespec deadline = Deadline();
        return pthread_cond_timedwait(condition, MutexOf(0), &deadline);
      }
      case Act::kAwait:
        return may_wait ? Await(object) : kLeftOut;
      case Act::kSignal:
        return pthread_cond_signal(condition);
      case Act::kBroadcast:
        return pthread_cond_broadcast(condition);
      case Act::kShare:
        return Taking(rwlocks_held, pthread_rwlock_rdlock(rwlock));
      case Act::kTryShare:
        return Taking(rwlocks_held, pthread_rwlock_tryrdlock(rwlock));
      case Act::kTimedShare: {
        const timespec deadline = Deadline();
        return Taking(rwlocks_held, pthread_rwlock_timedrdlock(rwlock, &deadline));
      }
      case Act::kExclude:
        return Taking(rwlocks_held, pthread_rwlock_wrlock(rwlock));
      case Act::kTryExclude:
        return Taking(rwlocks_held, pthread_rwlock_trywrlock(rwlock));
      case Act::kTimedExclude: {
        const timespec deadline = Deadline();
        return Taking(rwlocks_held, pthread_rwlock_timedwrlock(rwlock, &deadline));
      }
      case Act::kRelease:
        return Giving(rwlocks_held, operation, [rwlock] { return pthread_rwlock_unlock(rwlock); });
      case Act::kTake:
        return Zero(sem_wait(semaphore));
      case Act::kTryTake:
        return Zero(sem_trywait(semaphore));
      case Act::kTimedTake: {
        const timespec deadline = Deadline();
        return Zero(sem_timedwait(semaphore, &deadline));
      }
      case Act::kPost:
        return Zero(sem_post(semaphore));
      case Act::kArrive:
        pthread_barrier_wait(&barriers[object]);
        return 0;
      case Act::kOnce:
        return CallOnce(object);
      case Act::kSleep:
        return SleepOn(words[object], nullptr);
      case Act::kTimedSleep: {
        const timespec patience = {.tv_sec = 0, .tv_nsec = kPatience};
        return SleepOn(words[object], &patience);
      }
      case Act::kWake:
        return Wake(words[object], 1);
      case Act::kWakeAll:
        return Wake(words[object], INT_MAX);
      case Act::kAdd:
        return static_cast<int>(words[object].fetch_add(1));
    }
    return 0;
  }

  const synchronization::Program& program_;
  Thread threads_[kMostThreads];
};

}  // namespace

Performed Perform(const Program& program, uint64_t executions, const ExecutionOptions& options) {
  Performed performed;
  Performance performance(program);
  DepthFirst search;
  const ExecutionSeries series;
  for (uint64_t i = 0; i < executions; ++i) {
    if (!search.BeginExecution()) {
      performed.complete = true;
      break;
    }
    const Verdict verdict = Execute(performance, search, options);
    search.EndExecution(verdict);
    if (verdict.passed()) {
      performed.outcomes.results.insert(performance.results());
    } else if (verdict.kind == VerdictKind::kDeadlock) {
      performed.outcomes.deadlock = true;
    } else if (verdict.kind == VerdictKind::kMisuse) {
      performed.outcomes.misuse = true;
    } else {
      performed.other_verdict = verdict.message;
    }
  }
  return performed;
}

}  // namespace jacquard::synchronization
