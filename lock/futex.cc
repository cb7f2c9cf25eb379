#include "lock/futex.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>

#include "lock/check.h"

namespace jacquard::lock {

static_assert(sizeof(FutexWord) == sizeof(std::uint32_t) && FutexWord::is_always_lock_free,
              "the kernel reads the word as it lies in memory");

bool FutexWait(const FutexWord& word, std::uint32_t expected, FutexDeadline deadline) {
  long result;
  if (deadline) {
    // FUTEX_WAIT_BITSET takes an absolute time on CLOCK_MONOTONIC, which is what steady_clock
    // reads; FUTEX_WAIT would take a relative one, and each spurious wake-up would begin it anew.
    const auto since_epoch = deadline->time_since_epoch();
    const auto seconds = std::chrono::floor<std::chrono::seconds>(since_epoch);
    timespec until;
    until.tv_sec = static_cast<time_t>(seconds.count());
    until.tv_nsec = static_cast<long>(std::chrono::nanoseconds(since_epoch - seconds).count());
    result = syscall(SYS_futex, &word, FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG, expected, &until,
                     nullptr, FUTEX_BITSET_MATCH_ANY);
  } else {
    result = syscall(SYS_futex, &word, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, expected, nullptr);
  }
  if (result == 0) return true;
  if (errno == ETIMEDOUT) return false;
  JACQUARD_LOCK_CHECK(errno == EAGAIN || errno == EINTR, "futex wait refused");
  return true;
}

void FutexWakeOne(const FutexWord* word) {
  // EFAULT is no error here: the word may be gone, see the header.
  static_cast<void>(syscall(SYS_futex, word, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1));
}

}  // namespace jacquard::lock
