// The futex system call, as simulated threads make it.
//
// The kernel compares with the newest value, and the waiting thread has read that one then. Both
// waiting and waking begin with a full fence, as in Linux: a waker whose change the comparison has
// missed finds the waiter. Being woken orders nothing.
#include <errno.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <cstdarg>
#include <cstdint>

#include "sim/engine.h"
#include "sim/heap_check.h"
#include "sim/real.h"
#include "sim/unsupported.h"
#include "sim/weak_atomics.h"

namespace jacquard::sim {
namespace {

constexpr uint32_t kAllBits = 0xFFFF'FFFF;

uint64_t Nanoseconds(const timespec& time) { return time.tv_sec * 1'000'000'000ull + time.tv_nsec; }

bool IsValid(const timespec& time) {
  return time.tv_sec >= 0 && time.tv_nsec >= 0 && time.tv_nsec < 1'000'000'000;
}

long Result(int error) {
  if (error == 0) return 0;
  errno = error;
  return -1;
}

long Wait(uint32_t* word, uint32_t expected, uint64_t deadline, uint32_t bits, uintptr_t pc) {
  engine.DecisionPoint(StepKind::kFutexWait, word);
  // Only the waiter: to wake somebody on a word that may be gone by then is allowed.
  CheckAccess(word, sizeof(*word), AccessKind::kRead, pc);
  engine.FenceMemory(MemoryOrder::kSeqCst);
  SeeNewest(word);
  const uint32_t value = *word;
  if (value != expected) {
    engine.HasRead(word, sizeof(*word), value);
    engine.FinishStep(StepKind::kFutexWait, MemoryOrder::kRelaxed, sizeof(*word), word, value, 1,
                      pc);
    return Result(EAGAIN);
  }
  engine.FinishStep(StepKind::kFutexWait, MemoryOrder::kRelaxed, sizeof(*word), word, value, 0, pc);
  engine.current->wait_bits = bits;
  engine.Block(WaitReason::kFutex, word, pc, deadline);
  const bool timed_out = engine.current->timed_out;
  engine.FinishStep(StepKind::kFutexWakeUp, MemoryOrder::kRelaxed, sizeof(*word), word, *word,
                    timed_out, pc);
  return Result(timed_out ? ETIMEDOUT : 0);
}

// The waiters on `word` that `bits` select, longest first, into `waiters`; returns how many.
int Waiters(const uint32_t* word, uint32_t bits, SimThread** waiters) {
  int count = 0;
  for (int i = 0; i < engine.thread_count(); ++i) {
    SimThread& thread = engine.thread(i);
    const bool waits = thread.wait == WaitReason::kFutex && thread.wait_address == word &&
                       (thread.wait_bits & bits) != 0 && engine.IsBlocked(thread);
    if (!waits) continue;
    int place = count++;
    for (; place > 0 && waiters[place - 1]->wait_ticket > thread.wait_ticket; --place) {
      waiters[place] = waiters[place - 1];
    }
    waiters[place] = &thread;
  }
  return count;
}

long Wake(uint32_t* word, uint32_t most, uint32_t bits, uintptr_t pc) {
  engine.DecisionPoint(StepKind::kFutexWake, word);
  engine.FenceMemory(MemoryOrder::kSeqCst);
  SimThread* waiters[kMaxThreads];
  int count = Waiters(word, bits, waiters);
  long woken = 0;
  for (; count > 0 && woken < static_cast<long>(most); ++woken) {
    const bool all = count <= static_cast<long>(most) - woken;
    const int chosen = all || count == 1 ? 0 : engine.Choose(PickKind::kWakeOrder, count);
    engine.MakeRunnable(*waiters[chosen]);
    for (int i = chosen + 1; i < count; ++i) waiters[i - 1] = waiters[i];
    --count;
  }
  if (woken != 0) engine.current->spin.Reset();
  engine.FinishStep(StepKind::kFutexWake, MemoryOrder::kRelaxed, sizeof(*word), word, *word, woken,
                    pc);
  return woken;
}

long Futex(const long (&a)[6], uintptr_t pc) {
  auto* const word = reinterpret_cast<uint32_t*>(a[0]);
  const long operation = a[1] & FUTEX_CMD_MASK;
  const auto value = static_cast<uint32_t>(a[2]);
  const auto* const timeout = reinterpret_cast<const timespec*>(a[3]);
  const bool waits = operation == FUTEX_WAIT || operation == FUTEX_WAIT_BITSET;
  if (waits && timeout != nullptr && !IsValid(*timeout)) return Result(EINVAL);
  const bool has_bits = operation == FUTEX_WAIT_BITSET || operation == FUTEX_WAKE_BITSET;
  if (has_bits && static_cast<uint32_t>(a[5]) == 0) return Result(EINVAL);
  switch (operation) {
    case FUTEX_WAIT:
      return Wait(word, value,
                  timeout == nullptr ? Engine::kNoDeadline : engine.now() + Nanoseconds(*timeout),
                  kAllBits, pc);
    case FUTEX_WAIT_BITSET:
      return Wait(word, value, timeout == nullptr ? Engine::kNoDeadline : Nanoseconds(*timeout),
                  static_cast<uint32_t>(a[5]), pc);
    case FUTEX_WAKE:
      return Wake(word, value, kAllBits, pc);
    case FUTEX_WAKE_BITSET:
      return Wake(word, value, static_cast<uint32_t>(a[5]), pc);
    default:
      Unsupported("a futex operation other than wait and wake");
  }
}

}  // namespace
}  // namespace jacquard::sim

extern "C" long syscall(long number, ...) noexcept {
  va_list list;
  va_start(list, number);
  long a[6];
  for (long& argument : a) argument = va_arg(list, long);
  va_end(list);
  using jacquard::sim::engine;
  if (engine.Simulates()) {
    if (number == SYS_futex) {
      return jacquard::sim::Futex(a, reinterpret_cast<uintptr_t>(__builtin_return_address(0)));
    }
    if (number == SYS_gettid) return jacquard::sim::kFirstTid + engine.current->id;
    engine.current->spin.Reset();
  }
  const int64_t result = jacquard::sim::RawSyscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
  if (result >= 0 || result < -4095) return result;
  errno = static_cast<int>(-result);
  return -1;
}
