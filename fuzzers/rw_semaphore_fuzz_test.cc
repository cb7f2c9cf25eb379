// The fuzz target of the semaphore alone: readers, writers, downgrades.
#include <cstdint>

#include "fuzzers/guarded_fields.h"
#include "fuzzers/scenario.h"
#include "lock/rw_semaphore.h"
#include "sim/runtime.h"

namespace jacquard {

// Who holds what is decided at run time here.
#pragma clang attribute push(__attribute__((no_thread_safety_analysis)), apply_to = function)

// 2 to 4 threads and one semaphore, which guards data: who reads finds it whole and unchanged.
class RwSemaphoreScenario {
 public:
  static constexpr int kMinThreads = 2;
  static constexpr int kMaxThreads = 4;

  static auto Operations() {
    using S = RwSemaphoreScenario;
    return jacquard::Operations<S>{
        {"lock_shared", &S::LockShared},
        {"try_lock_shared", &S::TryLockShared},
        {"lock", &S::Lock},
        {"try_lock", &S::TryLock},
        {"downgrade", &S::Downgrade},
        {"unlock", &S::Unlock},
    };
  }

  const char* LockShared() {
    if (Me().share != Share::kNone) return kSkipped;
    semaphore_.LockShared();
    return Reads();
  }
  const char* TryLockShared() {
    if (Me().share != Share::kNone) return kSkipped;
    return semaphore_.TryLockShared() ? Reads() : "false";
  }
  const char* Lock() {
    if (Me().share != Share::kNone) return kSkipped;
    semaphore_.Lock();
    return Writes();
  }
  const char* TryLock() {
    if (Me().share != Share::kNone) return kSkipped;
    return semaphore_.TryLock() ? Writes() : "false";
  }
  const char* Downgrade() {
    if (Me().share != Share::kWriter) return kSkipped;
    fields_.EndWriting();
    semaphore_.Downgrade();
    return Reads();
  }
  const char* Unlock() {
    Thread& me = Me();
    const Share share = me.share;
    me.share = Share::kNone;
    if (share == Share::kNone) return kSkipped;
    if (share == Share::kReader) {
      Check(fields_.IsStill(me.seen), "data changes under a reader");
      semaphore_.UnlockShared();
    } else {
      fields_.EndWriting();
      semaphore_.Unlock();
    }
    return nullptr;
  }

  void EndThread() { Unlock(); }

  void CheckFinal() const {
    Check(!semaphore_.IsLocked() && !semaphore_.HasWaiters(), "semaphore is left locked");
    Check(fields_.IsWhole(), kTorn);
  }

 private:
  enum class Share : std::uint8_t { kNone, kReader, kWriter };
  static constexpr const char* kSkipped = "skipped";
  static constexpr const char* kTorn = "half of a write section is seen";

  struct Thread {
    JACQUARD_UNHOOKED Thread() = default;
    Share share = Share::kNone;
    std::uint32_t seen = 0;
  };
  JACQUARD_UNHOOKED Thread& Me() { return threads_[CurrentThread()]; }

  const char* Reads() {
    Me().share = Share::kReader;
    Check(fields_.IsWhole(), kTorn);
    Me().seen = fields_.value();
    return "true";
  }
  const char* Writes() {
    Me().share = Share::kWriter;
    Check(fields_.IsWhole(), kTorn);
    fields_.BeginWriting();
    return "true";
  }

  lock::RwSemaphore semaphore_;
  fuzzers::GuardedFields fields_;
  Thread threads_[kMaxThreads];
};

#pragma clang attribute pop

}  // namespace jacquard

using jacquard::RwSemaphoreScenario;

JACQUARD_FUZZ_TARGET(RwSemaphoreScenario)
