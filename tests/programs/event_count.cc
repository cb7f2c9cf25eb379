// An event count: sleepers announce themselves in one half of a word, and remember the other half,
// which counts the events. The broken producer looks for sleepers before its own store need be
// seen.
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cassert>
#include <climits>
#include <cstdint>
#include <thread>

#include "tests/programs/programs.h"

namespace {

constexpr uint64_t kEvent = uint64_t{1} << 32;

bool is_broken = false;
std::atomic<uint64_t> word{0};  // events, sleepers
std::atomic<int> flag{0};

uint32_t* Events() { return reinterpret_cast<uint32_t*>(&word) + 1; }

void Notify() {
  if (is_broken) {
    if (static_cast<uint32_t>(word.load(std::memory_order_relaxed)) == 0) return;
    word.fetch_add(kEvent);
  } else if (static_cast<uint32_t>(word.fetch_add(kEvent)) == 0) {
    return;
  }
  syscall(SYS_futex, Events(), FUTEX_WAKE_PRIVATE, INT_MAX, nullptr, nullptr, 0);
}

void Await() {
  while (flag.load(std::memory_order_acquire) == 0) {
    const auto seen = static_cast<uint32_t>(word.fetch_add(1) >> 32);
    if (flag.load(std::memory_order_seq_cst) == 0) {
      while (word.load(std::memory_order_acquire) >> 32 == seen)
        syscall(SYS_futex, Events(), FUTEX_WAIT_PRIVATE, seen, nullptr, nullptr, 0);
    }
    word.fetch_sub(1);
  }
}

}  // namespace

void EventCount(bool broken) {
  is_broken = broken;
  std::thread a(Await);
  std::thread b(Await);
  flag.store(1, broken ? std::memory_order_release : std::memory_order_seq_cst);
  Notify();
  a.join();
  b.join();
  assert(static_cast<uint32_t>(word.load()) == 0);
}
