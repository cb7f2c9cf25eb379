// The futex system call, as simulated threads make it.
//
// The kernel compares with the newest value, and the waiting thread has read that one then. Both
// waiting and waking begin with a full fence, as in Linux: a waker whose change the comparison has
// missed finds the waiter. Being woken orders nothing.
#include <errno.h>
#include <linux/futex.h>
#include <time.h>

#include <algorithm>
#include <cstdint>
#include <iterator>

#include "sim/real.h"
#include "sim/sync.h"
#include "sim/system_calls.h"
#include "sim/unsupported.h"
#include "sim/weak_atomics.h"

namespace jacquard::sim {
namespace {

constexpr uint32_t kAllBits = 0xFFFF'FFFF;

// What the word says, for the trace. Whoever wakes does not touch it: it may be gone by then, with
// the memory that the program has mapped for it.
uint32_t ValueIfThere(const uint32_t* word) {
  if (!IsFarAway(word) || engine.rollback.Covers(word)) return *word;
  uint32_t value = 0;
  CopyIfThere(&value, word, sizeof(value));
  return value;
}

long Wait(uint32_t* word, uint32_t expected, uint64_t deadline, uint32_t bits, uintptr_t pc) {
  engine.DecisionPoint(StepKind::kFutexWait, word, pc);
  // Only the waiter: to wake somebody on a word that may be gone by then is allowed.
  CheckAccess(word, sizeof(*word), AccessKind::kRead, pc);
  engine.FenceMemory(MemoryOrder::kSeqCst);
  SeeNewest(word);
  const uint32_t value = *word;
  if (value != expected) {
    engine.HasRead(word, sizeof(*word), value);
    engine.FinishStep(StepKind::kFutexWait, MemoryOrder::kRelaxed, sizeof(*word), word, value, 1,
                      pc);
    return ResultOf(EAGAIN);
  }
  engine.FinishStep(StepKind::kFutexWait, MemoryOrder::kRelaxed, sizeof(*word), word, value, 0, pc);
  engine.current->wait_bits = bits;
  engine.Block(WaitReason::kFutex, word, pc, deadline);
  const WakeUp why = HowWoken(*engine.current);
  engine.FinishStep(StepKind::kFutexWakeUp, MemoryOrder::kRelaxed, sizeof(*word), word,
                    ValueIfThere(word), why, pc);
  return ResultOf(why == kTimedOut ? ETIMEDOUT : 0);
}

// Those on `word` that `bits` select, longest first, into `waiters`; returns how many.
int Waiters(const uint32_t* word, uint32_t bits, SimThread** waiters) {
  return WaitersLongestFirst(WaitReason::kFutex, word, waiters, [bits](const SimThread& thread) {
    return (thread.wait_bits & bits) != 0;
  });
}

// How many a call asks for, as far as it matters.
int AtMostAll(uint32_t count) {
  return static_cast<int>(std::min(count, static_cast<uint32_t>(kMaxThreads)));
}

long Wake(uint32_t* word, uint32_t most, uint32_t bits, uintptr_t pc) {
  engine.DecisionPoint(StepKind::kFutexWake, word, pc);
  engine.FenceMemory(MemoryOrder::kSeqCst);
  SimThread* waiters[kMaxThreads];
  const int count = Waiters(word, bits, waiters);
  const int woken = engine.WakeSome(waiters, count, AtMostAll(most));
  if (woken != 0) engine.current->spin.Reset();
  engine.FinishStep(StepKind::kFutexWake, MemoryOrder::kRelaxed, sizeof(*word), word,
                    ValueIfThere(word), woken, pc);
  if (engine.current->ends_in_library) [[unlikely]]
    engine.AcquireAll();
  return woken;
}

// Wakes up to `most`, and lets up to `more` of the others wait for `other` from now on. Those have
// waited longest of those that are left. `expected` is null without a comparison. Returns how many
// both are, as Linux does in either case (futex(2) has it otherwise for FUTEX_REQUEUE).
long Requeue(uint32_t* word, uint32_t most, uint32_t more, uint32_t* other,
             const uint32_t* expected, uintptr_t pc) {
  engine.DecisionPoint(StepKind::kFutexWake, word, pc);
  engine.FenceMemory(MemoryOrder::kSeqCst);
  if (expected != nullptr) {
    CheckAccess(word, sizeof(*word), AccessKind::kRead, pc);
    SeeNewest(word);
    if (*word != *expected) {
      engine.HasRead(word, sizeof(*word), *word);
      Finish(StepKind::kFutexWake, word, *word, 0, pc);
      return ResultOf(EAGAIN);
    }
  }
  SimThread* waiters[kMaxThreads];
  const int woken = engine.WakeSome(waiters, Waiters(word, kAllBits, waiters), AtMostAll(most));
  const int left = std::min(Waiters(word, kAllBits, waiters), AtMostAll(more));
  for (int i = 0; i < left; ++i) waiters[i]->wait_address = other;
  engine.current->spin.Reset();
  engine.FinishStep(StepKind::kFutexWake, MemoryOrder::kRelaxed, sizeof(*word), word,
                    ValueIfThere(word), woken, pc);
  return woken + left;
}

// ---- FUTEX_WAKE_OP: its last argument is a small program (futex(2))

int32_t SignExtended12(uint32_t bits) { return static_cast<int32_t>(bits << 20) >> 20; }

struct WakeProgram {
  Update update;
  uint32_t operand;
  uint32_t comparison;
  int32_t compared_with;
};

// False: the operation is none that there is.
bool Decode(uint32_t encoded, WakeProgram& program) {
  constexpr Update kUpdates[] = {Update::kExchange, Update::kAdd, Update::kOr, Update::kAnd,
                                 Update::kXor};
  const uint32_t operation = encoded >> 28 & 7;
  if (operation >= std::size(kUpdates)) return false;
  uint32_t operand = static_cast<uint32_t>(SignExtended12(encoded >> 12));
  if ((encoded >> 28 & FUTEX_OP_OPARG_SHIFT) != 0) operand = uint32_t{1} << (operand & 31);
  if (operation == FUTEX_OP_ANDN) operand = ~operand;
  program = {kUpdates[operation], operand, encoded >> 24 & 15, SignExtended12(encoded)};
  return true;
}

// 1: it holds, 0: it does not, -1: there is no such comparison.
int Holds(const WakeProgram& program, uint32_t value) {
  const auto old = static_cast<int32_t>(value);
  switch (program.comparison) {
    case FUTEX_OP_CMP_EQ:
      return old == program.compared_with;
    case FUTEX_OP_CMP_NE:
      return old != program.compared_with;
    case FUTEX_OP_CMP_LT:
      return old < program.compared_with;
    case FUTEX_OP_CMP_LE:
      return old <= program.compared_with;
    case FUTEX_OP_CMP_GT:
      return old > program.compared_with;
    case FUTEX_OP_CMP_GE:
      return old >= program.compared_with;
    default:
      return -1;
  }
}

// The kernel's read-modify-write: a step on the newest value.
uint32_t Change(uint32_t* word, const WakeProgram& program, uintptr_t pc) {
  if (engine.memory != nullptr) {
    SeeNewest(word);
    return WeakUpdate(word, program.update, program.operand, MemoryOrder::kSeqCst, pc);
  }
  engine.DecisionPoint(StepKind::kReadModifyWrite, word, pc);
  CheckAccess(word, sizeof(*word), AccessKind::kWrite, pc);
  const uint32_t old = *word;
  engine.rollback.BeforeWrite(word, sizeof(*word));
  *word = Updated(program.update, old, program.operand);
  engine.HasWritten(word, sizeof(*word));
  engine.FinishStep(StepKind::kReadModifyWrite, MemoryOrder::kSeqCst, sizeof(*word), word, old,
                    *word, pc);
  return old;
}

// Changes `other`, wakes up to `most` on `word`, and, if the old value compares so, up to `more` on
// `other`. Nobody can begin to wait in between: no decision point stands there.
long WakeAndChange(uint32_t* word, uint32_t most, uint32_t more, uint32_t* other, uint32_t encoded,
                   uintptr_t pc) {
  WakeProgram program;
  if (!Decode(encoded, program)) return ResultOf(ENOSYS);
  engine.current->spin.Reset();
  engine.current->is_amid_call = true;
  const uint32_t old = Change(other, program, pc);
  engine.current->is_amid_call = false;
  const int holds = Holds(program, old);
  if (holds < 0) return ResultOf(ENOSYS);
  engine.FenceMemory(MemoryOrder::kSeqCst);
  SimThread* waiters[kMaxThreads];
  int woken = engine.WakeSome(waiters, Waiters(word, kAllBits, waiters), AtMostAll(most));
  if (holds != 0)
    woken += engine.WakeSome(waiters, Waiters(other, kAllBits, waiters), AtMostAll(more));
  engine.current->spin.Reset();
  engine.FinishStep(StepKind::kFutexWake, MemoryOrder::kRelaxed, sizeof(*word), word,
                    ValueIfThere(word), woken, pc);
  return woken;
}

bool IsWord(long address) { return address % static_cast<long>(sizeof(uint32_t)) == 0; }

}  // namespace

long Futex(const long (&a)[6], uintptr_t pc) {
  auto* const word = reinterpret_cast<uint32_t*>(a[0]);
  const long operation = a[1] & FUTEX_CMD_MASK;
  const auto value = static_cast<uint32_t>(a[2]);
  const auto* const timeout = reinterpret_cast<const timespec*>(a[3]);
  const bool waits = operation == FUTEX_WAIT || operation == FUTEX_WAIT_BITSET;
  const bool requeues = operation == FUTEX_REQUEUE || operation == FUTEX_CMP_REQUEUE;
  const bool has_other = requeues || operation == FUTEX_WAKE_OP;
  if (!IsWord(a[0]) || (has_other && !IsWord(a[4]))) return ResultOf(EINVAL);
  if (requeues && (static_cast<int>(a[2]) < 0 || static_cast<int>(a[3]) < 0))
    return ResultOf(EINVAL);
  if (waits && timeout != nullptr && (!IsValid(*timeout) || timeout->tv_sec < 0))
    return ResultOf(EINVAL);
  const bool has_bits = operation == FUTEX_WAIT_BITSET || operation == FUTEX_WAKE_BITSET;
  if (has_bits && static_cast<uint32_t>(a[5]) == 0) return ResultOf(EINVAL);
  switch (operation) {
    case FUTEX_WAIT:
      return Wait(
          word, value,
          timeout == nullptr ? Engine::kNoDeadline : engine.clock.now() + Nanoseconds(*timeout),
          kAllBits, pc);
    case FUTEX_WAIT_BITSET:
      return Wait(word, value, timeout == nullptr ? Engine::kNoDeadline : Nanoseconds(*timeout),
                  static_cast<uint32_t>(a[5]), pc);
    case FUTEX_WAKE:
      return Wake(word, value, kAllBits, pc);
    case FUTEX_WAKE_BITSET:
      return Wake(word, value, static_cast<uint32_t>(a[5]), pc);
    case FUTEX_REQUEUE:
      return Requeue(word, value, static_cast<uint32_t>(a[3]), reinterpret_cast<uint32_t*>(a[4]),
                     nullptr, pc);
    case FUTEX_CMP_REQUEUE: {
      const auto expected = static_cast<uint32_t>(a[5]);
      return Requeue(word, value, static_cast<uint32_t>(a[3]), reinterpret_cast<uint32_t*>(a[4]),
                     &expected, pc);
    }
    case FUTEX_WAKE_OP:
      return WakeAndChange(word, value, static_cast<uint32_t>(a[3]),
                           reinterpret_cast<uint32_t*>(a[4]), static_cast<uint32_t>(a[5]), pc);
    default:
      Unsupported("a futex operation other than wait, wake, wake_op and requeue");
  }
}

}  // namespace jacquard::sim
