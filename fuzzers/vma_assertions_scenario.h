// The scenario of a VMA lock's assertions: 1 to 3 threads lock and unlock, and ask.
//
// There are two mms with one VMA each. The locks of mm 0 keep books (assertion_books.h): there an
// assertion must say of who asks exactly what is the case (kPasses, kComplains). Those of mm 1 keep
// none: they may pass where they should not, but never complain of who is in the right.
//
// The validator that keeps the books judges, too: it must have nothing to report. So that it has an
// order of locks to judge there is a mutex which may be taken inside of everything else, and under
// which nothing is waited for.
//
// What would be misuse where a thread stands is skipped without a step: who holds anything does not
// wait for an mm's lock, and who reads any VMA, or has the mutex, does not wait for readers.
#ifndef JACQUARD_FUZZERS_VMA_ASSERTIONS_SCENARIO_H_
#define JACQUARD_FUZZERS_VMA_ASSERTIONS_SCENARIO_H_

#include <algorithm>
#include <mutex>
#include <type_traits>

#include "fuzzers/assertion_books.h"
#include "fuzzers/scenario.h"
#include "lock/lockdep/checked.h"
#include "lock/mmap_lock.h"
#include "lock/validator.h"
#include "lock/vma_lock.h"
#include "lock/widths.h"
#include "sim/runtime.h"

namespace jacquard {

// Who holds what is decided at run time here.
#pragma clang attribute push(__attribute__((no_thread_safety_analysis)), apply_to = function)

class VmaAssertionsScenario {
 public:
  using Books = fuzzers::AssertionBooks;

  static constexpr int kMinThreads = 1;
  static constexpr int kMaxThreads = Books::kThreads;
  static constexpr int kMms = 2;

  static auto Operations() {
    using S = VmaAssertionsScenario;
    return jacquard::Operations<S>{
        {"lock_shared", &S::LockShared, {"mm", kMms}},
        {"lock", &S::Lock, {"mm", kMms}},
        {"unlock", &S::Unlock, {"mm", kMms}},  // in whichever way it is held
        {"downgrade", &S::Downgrade, {"mm", kMms}},
        {"start_read", &S::StartRead, {"mm", kMms}},
        {"end_read", &S::EndRead, {"mm", kMms}},
        {"start_write", &S::StartWrite, {"mm", kMms}},
        {"mark_attached", &S::MarkAttached, {"mm", kMms}},
        {"mark_detached", &S::MarkDetached, {"mm", kMms}},
        {"lock_mutex", &S::LockMutex},
        {"unlock_mutex", &S::UnlockMutex},
        {"ask", &S::Ask, {"mm", kMms}},
    };
  }

  JACQUARD_UNHOOKED VmaAssertionsScenario() {
    std::fill_n(Books::places, kMaxThreads, Books::Place::kOutside);
    Begin(with_books_);
    Begin(without_);
  }
  // What is attached still is not destroyed: its memory goes with the scenario's.
  JACQUARD_UNHOOKED ~VmaAssertionsScenario() {}

  // --- The mms ---

  const char* LockShared(int mm) {
    Thread& me = Me();
    if (me.HoldsAny()) return kSkipped;
    On(mm, [](auto& side) { side.mm.LockShared(); });
    me.share[mm] = Share::kReader;
    return nullptr;
  }

  const char* Lock(int mm) {
    Thread& me = Me();
    if (me.HoldsAny()) return kSkipped;
    On(mm, [](auto& side) { side.mm.Lock(); });
    me.share[mm] = Share::kWriter;
    return nullptr;
  }

  const char* Unlock(int mm) {
    Thread& me = Me();
    const Share share = me.share[mm];
    if (share == Share::kNone) return kSkipped;
    me.share[mm] = Share::kNone;
    me.writes[mm] = false;
    On(mm, [share](auto& side) {
      share == Share::kWriter ? side.mm.Unlock() : side.mm.UnlockShared();
    });
    return nullptr;
  }

  const char* Downgrade(int mm) {
    Thread& me = Me();
    if (me.share[mm] != Share::kWriter) return kSkipped;
    me.share[mm] = Share::kReader;
    me.writes[mm] = false;
    On(mm, [](auto& side) { side.mm.Downgrade(); });
    return nullptr;
  }

  // --- The VMAs ---

  const char* StartRead(int mm) {
    Thread& me = Me();
    if (me.reads[mm]) return kSkipped;
    lock::ReadResult result;
    {
      const Books::Call call;
      result = On(mm, [](auto& side) { return side.vma.StartRead(side.mm); });
    }
    if (result != lock::ReadResult::kLocked) return "no";
    me.reads[mm] = true;
    return "locked";
  }

  const char* EndRead(int mm) {
    Thread& me = Me();
    if (!me.reads[mm]) return kSkipped;
    me.reads[mm] = false;
    On(mm, [](auto& side) { side.vma.EndRead(); });
    return nullptr;
  }

  const char* StartWrite(int mm) {
    Thread& me = Me();
    if (me.share[mm] != Share::kWriter || !me.MayWaitForReaders()) return kSkipped;
    {
      const Books::Call call;
      On(mm, [](auto& side) { side.vma.StartWrite(side.mm); });
    }
    me.writes[mm] = true;
    return nullptr;
  }

  const char* MarkAttached(int mm) {
    Thread& me = Me();
    if (!me.writes[mm] || attached_[mm]) return kSkipped;
    On(mm, [](auto& side) { side.vma.MarkAttached(side.mm); });
    attached_[mm] = true;
    return nullptr;
  }

  const char* MarkDetached(int mm) {
    Thread& me = Me();
    if (!me.writes[mm] || !attached_[mm] || !me.MayWaitForReaders()) return kSkipped;
    {
      const Books::Call call;
      On(mm, [](auto& side) { side.vma.MarkDetached(side.mm); });
    }
    attached_[mm] = false;
    return nullptr;
  }

  // --- The mutex ---

  const char* LockMutex() {
    Thread& me = Me();
    if (me.has_mutex) return kSkipped;
    mutex_.lock();
    me.has_mutex = true;
    return nullptr;
  }
  const char* UnlockMutex() {
    Thread& me = Me();
    if (!me.has_mutex) return kSkipped;
    me.has_mutex = false;
    mutex_.unlock();
    return nullptr;
  }

  // --- The assertions ---

  // Asks all that can be known here of who asks.
  const char* Ask(int mm) {
    On(mm, [this, mm](auto& side) { AskSide(side, mm); });
    return nullptr;
  }

  // --- What the harness asks ---

  void EndThread() {
    UnlockMutex();
    for (int mm = 0; mm < kMms; ++mm) {
      EndRead(mm);
      Unlock(mm);
    }
  }

  void CheckFinal() const {
    Check(with_books_.vma.LoadWord() == attached_[0] && without_.vma.LoadWord() == attached_[1],
          "operation leaves something behind");
  }

  // Who is in which VMA, and which mm.
  JACQUARD_CHECK_CODE int StateFeature() const {
    int feature = 0;
    for (int mm = 0; mm < kMms; ++mm) {
      int readers = 0;
      int share = 0;
      for (const Thread& thread : threads_) {
        readers += thread.reads[mm] ? 1 : 0;
        share += static_cast<int>(thread.share[mm]) + (thread.writes[mm] ? 1 : 0);
      }
      feature = feature * 16 + readers * 4 + (share < 3 ? share : 3);
    }
    return feature;
  }

 private:
  enum class Share { kNone, kReader, kWriter };

  static constexpr const char* kSkipped = "skipped";
  static constexpr const char* kPasses = "assertion passes for who is in the wrong";
  static constexpr const char* kComplains = "assertion complains of who is in the right";

  // An mm and its VMA.
  template <lock::LockValidator V>
  struct Side {
    static constexpr bool kKeepsBooks = lock::kKeepsBooks<V>;
    JACQUARD_UNHOOKED Side() : vma(mm) {}
    JACQUARD_UNHOOKED ~Side() {}
    lock::BasicMmapLock<lock::KernelWidths, V> mm;
    union {  // not destroyed
      lock::BasicVmaLock<lock::KernelWidths, V> vma;
    };
  };

  struct Thread {
    JACQUARD_UNHOOKED Thread() = default;

    bool MayWaitForReaders() const { return !reads[0] && !reads[1] && !has_mutex; }
    bool HoldsAny() const {
      return !MayWaitForReaders() || share[0] != Share::kNone || share[1] != Share::kNone;
    }

    Share share[kMms] = {};  // of the mm's lock
    bool writes[kMms] = {};  // the VMA is write-locked in this section
    bool reads[kMms] = {};
    bool has_mutex = false;
  };

  JACQUARD_UNHOOKED Thread& Me() { return threads_[CurrentThread()]; }

  template <class Body>
  std::invoke_result_t<Body&, Side<Books>&> On(int mm, Body body) {
    return mm == 0 ? body(with_books_) : body(without_);
  }

  template <class S>
  JACQUARD_UNHOOKED static void Begin(S& side) {
    side.mm.Lock();
    side.vma.StartWrite(side.mm);
    side.vma.MarkAttached(side.mm);
    side.mm.Unlock();
  }

  template <class S>
  void AskSide(const S& side, int mm) {
    const Thread& me = Me();
    const bool writes = me.writes[mm];
    const bool locked = me.reads[mm] || writes;
    const bool has_mm = me.share[mm] != Share::kNone;
    constexpr bool kExact = S::kKeepsBooks;
    Compare(side.vma.WhyNotLocked(side.mm) == nullptr, locked, kExact);
    Compare(side.vma.WhyNotWriteLocked(side.mm) == nullptr, writes, kExact);
    Compare(side.vma.WhyNotStabilised(side.mm) == nullptr, locked || has_mm, kExact);
    Compare(side.mm.MayBeLockedByMe(), has_mm, kExact);
    Compare(side.mm.MayBeWriteLockedByMe(), me.share[mm] == Share::kWriter, kExact);
    // Whether it is attached can change under who holds nothing.
    if (!locked && !has_mm) return;
    const bool attached = me.reads[mm] || attached_[mm];
    Compare(side.vma.WhyNotAttached() == nullptr, attached, true);
    Compare(side.vma.WhyNotDetached() == nullptr, !attached, true);
    Compare(side.vma.WhyNotCanModify(side.mm) == nullptr, !attached || writes, kExact);
  }

  static void Compare(bool passes, bool should_pass, bool exact) {
    Check(passes || !should_pass, kComplains);
    Check(!passes || should_pass || !exact, kPasses);
  }

  Side<Books> with_books_;
  Side<lock::NoValidator> without_;
  bool attached_[kMms] = {true, true};  // guarded by the mm's lock
  lock::lockdep::Checked<std::mutex> mutex_{"inner"};
  Thread threads_[kMaxThreads];
};

#pragma clang attribute pop

}  // namespace jacquard

#endif  // JACQUARD_FUZZERS_VMA_ASSERTIONS_SCENARIO_H_
