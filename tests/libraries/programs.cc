#include "tests/libraries/programs.h"

#include <atomic>
#include <barrier>
#include <condition_variable>
#include <future>
#include <latch>
#include <memory>
#include <mutex>
#include <semaphore>
#include <shared_mutex>
#include <stop_token>
#include <thread>

#include "sim/runtime.h"

namespace jacquard::libraries {
namespace {

// Each unit of the semaphore lets one thread in.
void Semaphore() {
  std::counting_semaphore<> semaphore(0);
  const auto acquire = [&] { semaphore.acquire(); };
  std::thread a(acquire);
  std::thread b(acquire);
  semaphore.release();
  semaphore.release();
  a.join();
  b.join();
}

// As a mutex, which is what most use it for.
void BinarySemaphore() {
  std::binary_semaphore semaphore(1);
  int counter = 0;
  const auto count = [&] {
    semaphore.acquire();
    ++counter;
    semaphore.release();
  };
  std::thread a(count);
  std::thread b(count);
  a.join();
  b.join();
  Check(counter == 2, "the semaphore excludes");
}

// Each phase sees what all have written in the one before.
void Barrier() {
  int completions = 0;
  std::barrier barrier(2, [&]() noexcept { ++completions; });
  int written[2] = {};
  const auto work = [&](int me) {
    for (int phase = 1; phase <= 2; ++phase) {
      written[me] = phase;
      barrier.arrive_and_wait();
      Check(written[1 - me] == phase, "all have arrived");
      barrier.arrive_and_wait();
    }
  };
  std::thread other(work, 1);
  work(0);
  other.join();
  Check(completions == 4, "one completion for each phase");
}

void Latch() {
  std::latch latch(2);
  int written[2] = {};
  const auto work = [&](int me) {
    written[me] = 1;
    latch.count_down();
  };
  std::thread a(work, 0);
  std::thread b(work, 1);
  latch.wait();
  Check(written[0] + written[1] == 2, "both have counted down");
  a.join();
  b.join();
}

void SharedMutex() {
  std::shared_mutex mutex;
  int first = 0;
  int second = 0;
  const auto read = [&] {
    const std::shared_lock lock(mutex);
    Check(first == second, "no half-done write");
  };
  std::thread a(read);
  std::thread b(read);
  {
    const std::unique_lock lock(mutex);
    ++first;
    ++second;
  }
  a.join();
  b.join();
}

void ConditionVariable() {
  std::mutex mutex;
  std::condition_variable turn_changed;
  int turn = 0;
  const auto play = [&](int me) {
    for (int round = 0; round < 2; ++round) {
      std::unique_lock lock(mutex);
      turn_changed.wait(lock, [&] { return turn % 2 == me; });
      ++turn;
      turn_changed.notify_one();
    }
  };
  std::thread other(play, 1);
  play(0);
  other.join();
  Check(turn == 4, "all turns were taken");
}

void ConditionVariableAny() {
  std::shared_mutex mutex;
  std::condition_variable_any changed;
  bool ready = false;
  std::thread waiter([&] {
    std::shared_lock lock(mutex);
    changed.wait(lock, [&] { return ready; });
  });
  {
    const std::unique_lock lock(mutex);
    ready = true;
  }
  changed.notify_all();
  waiter.join();
}

void StopToken() {
  std::mutex mutex;
  std::condition_variable_any changed;
  std::jthread waiter([&](const std::stop_token& stop) {
    std::unique_lock lock(mutex);
    changed.wait(lock, stop, [] { return false; });
    Check(stop.stop_requested(), "only the request ends the wait");
  });
}

void Future() {
  std::promise<int> promise;
  std::future<int> future = promise.get_future();
  std::thread giver([&] { promise.set_value(1); });
  Check(future.get() == 1, "the future has the promised value");
  giver.join();
}

void Async() {
  int written = 0;
  std::future<void> done = std::async(std::launch::async, [&] { written = 1; });
  done.get();
  Check(written == 1, "the task has run");
}

void CallOnce() {
  std::once_flag once;
  int made = 0;
  const auto make = [&] {
    std::call_once(once, [&] { ++made; });
    Check(made == 1, "made once, and seen");
  };
  std::thread a(make);
  std::thread b(make);
  a.join();
  b.join();
}

void AtomicWait() {
  std::atomic<int> word = 0;
  std::thread waiter([&] { word.wait(0); });
  word.store(1);
  word.notify_one();
  waiter.join();
}

// As AtomicWait, with the order that suffices for the value itself.
void AtomicWaitRelease() {
  std::atomic<int> word = 0;
  std::thread waiter([&] { word.wait(0, std::memory_order_acquire); });
  word.store(1, std::memory_order_release);
  word.notify_one();
  waiter.join();
}

void SharedPointer() {
  auto pointer = std::make_shared<int>(1);
  const auto use = [pointer] {
    const std::shared_ptr<int> copy = pointer;
    Check(*copy == 1, "the object lives");
  };
  std::thread a(use);
  std::thread b(use);
  pointer.reset();
  a.join();
  b.join();
}

void AtomicSharedPointer() {
  std::atomic<std::shared_ptr<int>> pointer = std::make_shared<int>(1);
  std::thread writer([&] { pointer.store(std::make_shared<int>(2)); });
  const std::shared_ptr<int> seen = pointer.load();
  Check(*seen == 1 || *seen == 2, "one of the two");
  writer.join();
}

constexpr LibraryProgram kPrograms[] = {
    {"std::counting_semaphore", Semaphore, "deadlock"},
    {"std::binary_semaphore", BinarySemaphore, "deadlock"},
    {"std::barrier", Barrier, nullptr},
    {"std::latch", Latch, "deadlock"},
    {"std::shared_mutex", SharedMutex, nullptr},
    {"std::condition_variable", ConditionVariable, nullptr},
    {"std::condition_variable_any", ConditionVariableAny, nullptr},
    {"std::stop_token", StopToken, nullptr},
    {"std::future", Future, nullptr},
    {"std::async", Async, nullptr},
    {"std::call_once", CallOnce, nullptr},
    {"std::atomic::wait", AtomicWait, nullptr},
    {"std::atomic::wait, release", AtomicWaitRelease, "deadlock"},
    {"std::shared_ptr", SharedPointer, nullptr},
    {"std::atomic<std::shared_ptr>", AtomicSharedPointer, "race"},
};

}  // namespace

std::span<const LibraryProgram> LibraryPrograms() { return kPrograms; }

}  // namespace jacquard::libraries
