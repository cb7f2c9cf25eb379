// A phase-fair reader/writer lock (Brandenburg and Anderson, "Spin-based reader-writer
// synchronization for multiprocessor real-time systems", 2010): tickets for writers, and readers
// that come while one waits let just that one go first. The broken reader leaves with a relaxed
// order.
#include <atomic>
#include <cassert>
#include <thread>

#include "tests/programs/programs.h"

namespace {

class PhaseFair {
 public:
  void LockShared() {
    const unsigned writer = in_.fetch_add(kReader, std::memory_order_acquire) & kWriter;
    while (writer != 0 && writer == (in_.load(std::memory_order_acquire) & kWriter)) Pause();
  }
  void UnlockShared(std::memory_order order) { out_.fetch_add(kReader, order); }
  void Lock() {
    const unsigned ticket = next_.fetch_add(1, std::memory_order_relaxed);
    while (serving_.load(std::memory_order_acquire) != ticket) Pause();
    const unsigned phase = kPresent | (ticket & 1);
    const unsigned readers = in_.fetch_add(phase, std::memory_order_acq_rel) & ~kWriter;
    while (out_.load(std::memory_order_acquire) != readers) Pause();
  }
  void Unlock() {
    in_.fetch_and(~kWriter, std::memory_order_release);
    serving_.store(serving_.load(std::memory_order_relaxed) + 1, std::memory_order_release);
  }

 private:
  static constexpr unsigned kReader = 0x100;
  static constexpr unsigned kWriter = 3;
  static constexpr unsigned kPresent = 2;

  static void Pause() { asm volatile("pause" ::: "memory"); }

  std::atomic<unsigned> in_{0};
  std::atomic<unsigned> out_{0};
  std::atomic<unsigned> next_{0};
  std::atomic<unsigned> serving_{0};
};

PhaseFair lock;
int first = 0;
int second = 0;

}  // namespace

void PhaseFairLock(bool broken) {
  const auto leave = broken ? std::memory_order_relaxed : std::memory_order_release;
  const auto read = [leave] {
    for (int i = 0; i < 2; ++i) {
      lock.LockShared();
      assert(first == second);
      lock.UnlockShared(leave);
    }
  };
  const auto write = [] {
    lock.Lock();
    ++first;
    ++second;
    lock.Unlock();
  };
  std::thread threads[] = {std::thread(read), std::thread(write), std::thread(write)};
  read();
  for (std::thread& thread : threads) thread.join();
  assert(first == 2);
}
