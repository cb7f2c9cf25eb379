// The fatal signal that ends killable waits: for one thread, whom another one kills.
#ifndef JACQUARD_FUZZERS_KILLABLE_WAITS_H_
#define JACQUARD_FUZZERS_KILLABLE_WAITS_H_

#include <pthread.h>

#include <mutex>
#include <stop_token>

#include "fuzzers/scenario.h"
#include "sim/runtime.h"

namespace jacquard::fuzzers {

#pragma clang attribute push(__attribute__((no_sanitize("coverage"))), apply_to = function)

// As std::mutex, whose constructor has hooks: there is one for each thread of each execution.
class NativeMutex {
 public:
  JACQUARD_CHECK_CODE NativeMutex() = default;
  void lock() { pthread_mutex_lock(&mutex_); }
  void unlock() { pthread_mutex_unlock(&mutex_); }

 private:
  pthread_mutex_t mutex_ = PTHREAD_MUTEX_INITIALIZER;
};

// A kill ends the wait that the thread is in, or the next one that it begins.
class KillableWaits {
 public:
  JACQUARD_CHECK_CODE KillableWaits() = default;  // nobody sees it yet

  // The thread begins an operation that can be killed through the token, and ends it.
  std::stop_token Begin() {
    const Ghost ghost;
    const std::unique_lock lock = LockNative();
    stop_ = std::stop_source();
    if (pending_) stop_.request_stop();
    pending_ = false;
    killable_ = true;
    return stop_.get_token();
  }
  void End() {
    const Ghost ghost;
    const std::unique_lock lock = LockNative();
    killable_ = false;
  }
  // Whether the last one was killed. For the thread itself.
  bool WasKilled() const { return stop_.stop_requested(); }

  // Another thread kills it. The request to stop, and what it wakes, are steps of the caller.
  const char* Kill() {
    std::stop_source stop(std::nostopstate);
    {
      const Ghost ghost;
      const std::unique_lock lock = LockNative();
      if (!killable_) {
        pending_ = true;
        return "pending";
      }
      stop = stop_;
    }
    const bool first = stop.request_stop();
    const Ghost ghost;
    stop = std::stop_source(std::nostopstate);
    return first ? "killed" : "killed already";
  }

 private:
  // Native form only: in the simulation no step comes in between.
  std::unique_lock<NativeMutex> LockNative() {
    std::unique_lock lock(mutex_, std::defer_lock);
    if (!Simulated()) lock.lock();
    return lock;
  }

  NativeMutex mutex_;
  bool killable_ = false;  // in a killable operation, whose source `stop_` is
  bool pending_ = false;
  std::stop_source stop_{std::nostopstate};
};

#pragma clang attribute pop

}  // namespace jacquard::fuzzers

#endif  // JACQUARD_FUZZERS_KILLABLE_WAITS_H_
