// The scenario of address spaces: 1 to 4 threads, two places for an mm, eight addresses, and VMAs
// that all come from one pool.
//
// An mm is made by who first names its place, with one VMA from 2 to 6. It leaves its place by
// `exit`, or when a fork puts its child there, and lives as long as an operation still uses it.
// Operations that would be misuse where a thread stands are skipped without a step: who holds a VMA
// for reading does nothing that may wait for a lock of the mm.
#ifndef JACQUARD_FUZZERS_ADDRESS_SPACE_SCENARIO_H_
#define JACQUARD_FUZZERS_ADDRESS_SPACE_SCENARIO_H_

#include <cstdint>
#include <mutex>
#include <stop_token>
#include <string>
#include <utility>

#include "fuzzers/address_space_books.h"
#include "fuzzers/address_space_ghost.h"
#include "fuzzers/scenario.h"
#include "lock/address_space.h"
#include "lock/guards.h"
#include "lock/rcu.h"
#include "sim/runtime.h"
#include "sim/step.h"

namespace jacquard {

// Who holds what is decided at run time here.
#pragma clang attribute push(__attribute__((no_thread_safety_analysis)), apply_to = function)

class AddressSpaceScenario {
 public:
  using GhostState = fuzzers::AddressSpaceGhost;
  using Mm = GhostState::Mm;
  using Vma = GhostState::Vma;

  static constexpr int kMinThreads = 1;
  static constexpr int kMaxThreads = GhostState::kThreads;
  static constexpr int kMms = GhostState::kMms;
  static constexpr int kAddresses = 8;
  // What is left over in the simulation goes with the execution.
  static constexpr bool kCheckLeaks = false;

  static auto Operations() {
    using S = AddressSpaceScenario;
    return jacquard::Operations<S>{
        {"lookup", &S::Lookup, {"mm", kMms}, {"at", kAddresses}},
        {"lookup_or_wait", &S::LookupOrWait, {"mm", kMms}, {"at", kAddresses}},
        {"hold", &S::Hold, {"mm", kMms}, {"at", kAddresses}},
        {"release", &S::ReleaseHeld},
        {"walk", &S::Walk, {"mm", kMms}},
        {"map", &S::Map, {"mm", kMms}, {"at", kAddresses}, {"pages", 2}},
        {"unmap", &S::Unmap, {"mm", kMms}, {"at", kAddresses}, {"pages", 4}},
        {"split", &S::Split, {"mm", kMms}, {"at", kAddresses}},
        {"merge", &S::Merge, {"mm", kMms}, {"at", kAddresses}},
        {"grow", &S::Grow, {"mm", kMms}, {"at", kAddresses}},
        {"protect", &S::Protect, {"mm", kMms}, {"at", kAddresses}},
        {"fork", &S::Fork, {"mm", kMms}},  // into the other place
        {"exit", &S::Exit, {"mm", kMms}},
        {"speculate", &S::Speculate, {"mm", kMms}},
        {"run_callbacks", &S::RunCallbacks},
        {"synchronize", &S::Synchronize},
        {"fault", &S::Fault, {"mm", kMms}, {"at", kAddresses}},
        {"lock_pair", &S::LockPair, {"at", kAddresses}},  // in the first place, with its mirror
        {"merge_killed", &S::MergeKilled, {"at", kAddresses}},  // likewise; if it had to wait
        {"shrink", &S::Shrink},  // the pool: what is free goes back to the heap
    };
  }

  JACQUARD_UNHOOKED AddressSpaceScenario() : simulated_(Simulated()), pool_() {}
  JACQUARD_UNHOOKED ~AddressSpaceScenario() {
    if (simulated_) return;
    for (Mm*& mm : places_) {
      if (mm != nullptr) std::exchange(mm, nullptr)->PutUser();
    }
    lock::Rcu::Barrier();
    pool_.~Pool();
  }

  // --- Readers ---

  const char* Lookup(int place, int at) {
    Mm* const mm = Use(place);
    if (mm == nullptr) return kNoMm;
    const char* const result = Look(*mm, mm->LockVmaUnderRcu(at), at);
    // Who holds a VMA must not be the last user: exiting waits for readers.
    PutUnlessHeld(mm);
    return EndOperation(result);
  }

  const char* LookupOrWait(int place, int at) {
    if (Holds()) return kSkipped;
    Mm* const mm = Use(place);
    if (mm == nullptr) return kNoMm;
    const char* const result = Look(*mm, mm->LockVma(at), at);
    PutUser(mm);
    return EndOperation(result);
  }

  const char* Hold(int place, int at) {
    if (Holds()) return kSkipped;
    Mm* const mm = Use(place);
    if (mm == nullptr) return kNoMm;
    Vma* const vma = mm->LockVmaUnderRcu(at);
    if (vma == nullptr) {
      PutUser(mm);
      return EndOperation(kNone);
    }
    BeginReading(*mm, vma, at);
    Me().mm = mm;
    Me().vma = vma;
    Me().start = vma->start;
    Me().end = vma->end;
    return EndOperation("held");
  }

  const char* ReleaseHeld() {
    if (!Holds()) return kSkipped;
    Thread& me = Me();
    Check(me.vma->start == me.start && me.vma->end == me.end, kChanged);
    EndReading(me.vma);
    me.vma = nullptr;
    PutUser(me.mm);
    while (me.owed != 0) {
      --me.owed;
      PutUser(me.owed_mms[me.owed]);
    }
    return EndOperation(nullptr);
  }

  // Goes over all VMAs.
  const char* Walk(int place) {
    if (Holds()) return kSkipped;
    Mm* const mm = Use(place);
    if (mm == nullptr) return kNoMm;
    {
      const lock::RcuReadGuard guard;
      Mm::Cursor cursor(0);
      for (lock::Address from = 0;;) {
        const Mm::NextResult next = mm->LockNextVma(cursor, from, std::stop_token());
        if (next.status != Mm::NextStatus::kFound) break;
        BeginReading(*mm, next.vma, next.vma->start);
        Check(next.vma->end > from, GhostState::kWrongVma);
        from = next.vma->end;
        EndReading(next.vma);
      }
    }
    PutUser(mm);
    return EndOperation(nullptr);
  }

  const char* LockPair(int at) {
    if (Holds()) return kSkipped;
    Mm* const mm = Use(0);
    if (mm == nullptr) return kNoMm;
    const int mirror = kAddresses - 1 - at;
    const auto pair = mm->LockPair(at, mirror);
    if (pair) {
      BeginReading(*mm, pair->first, at);
      BeginReading(*mm, pair->second, mirror);
      TellOfReadingEnd(pair->second);
      TellOfReadingEnd(pair->first);
      Mm::UnlockPair(*pair);
    }
    PutUser(mm);
    return EndOperation(pair ? "found" : kNone);
  }

  const char* Fault(int place, int at) {
    if (Holds()) return kSkipped;
    Mm* const mm = Use(place);
    if (mm == nullptr) return kNoMm;
    const bool result = mm->Fault(at);
    PutUser(mm);
    return EndOperation(result ? "true" : "false");
  }

  const char* Speculate(int place) {
    Mm* const mm = Use(place);
    if (mm == nullptr) return kNoMm;
    const auto size = mm->SpeculateMappedSize();
    Check(!size || *size <= kAddresses + 4, "speculation validates nonsense");
    PutUnlessHeld(mm);
    return EndOperation(size ? "read" : "in vain");
  }

  // --- Writers ---

  const char* Map(int place, int at, int pages) {
    return Write(place, [=](Mm& mm) {
      // The upper ones are stacks.
      return mm.MapRange(at, at + pages + 1, {.writable = true, .grows_down = at >= 4});
    });
  }
  const char* Unmap(int place, int at, int pages) {
    return Write(place, [=](Mm& mm) { return mm.UnmapRange(at, at + pages + 1); });
  }
  const char* Split(int place, int at) {
    return Write(place, [=](Mm& mm) { return mm.Split(at); });
  }
  const char* Merge(int place, int at) {
    return Write(place, [=](Mm& mm) { return mm.Merge(at); });
  }
  const char* MergeKilled(int at) {
    return Write(0, [=](Mm& mm) {
      std::stop_source stop;
      stop.request_stop();
      return mm.Merge(at, stop.get_token());
    });
  }
  const char* Grow(int place, int at) {
    return Write(place, [=](Mm& mm) { return mm.Grow(at); });
  }
  const char* Protect(int place, int at) {
    return Write(place,
                 [=](Mm& mm) { return mm.Protect(at, {.writable = true, .grows_down = true}); });
  }

  const char* Fork(int place) {
    if (Holds()) return kSkipped;
    Mm* const parent = Use(place);
    if (parent == nullptr) return kNoMm;
    BeginWriting();
    Mm* const old = Settle(1 - place, parent->Fork());
    if (old != nullptr) PutUser(old);
    PutUser(parent);
    EndWriting();
    return EndOperation(nullptr);
  }

  const char* Exit(int place) {
    if (Holds()) return kSkipped;
    Mm* const mm = Settle(place, nullptr);
    if (mm == nullptr) return kNoMm;
    BeginWriting();
    PutUser(mm);
    EndWriting();
    return EndOperation(nullptr);
  }

  // --- RCU ---

  bool RunCallbacks() { return lock::Rcu::RunCallbacks(); }

  const char* Synchronize() {
    if (Holds()) return kSkipped;
    lock::Rcu::Synchronize();
    return nullptr;
  }

  const char* Shrink() {
    if (Holds()) return kSkipped;
    const std::size_t before = pool_.capacity();
    pool_.ReleaseUnused();
    return EndOperation(pool_.capacity() < before ? "shrunk" : nullptr);
  }

  // --- What the harness asks ---

  void EndThread() { ReleaseHeld(); }

  JACQUARD_CHECK_CODE void OnStep(const Step& step) { ghost_.OnStep(step); }
  JACQUARD_CHECK_CODE int StateFeature() const { return ghost_.StateFeature(); }

  void CheckFinal() const {
    for (const Mm* const mm : places_) {
      if (mm == nullptr) continue;
      Check(!mm->semaphore().IsLocked() && !mm->semaphore().HasWaiters(), kLeft);
      for (const auto& entry : mm->Entries()) {
        Check(entry.vma->lock.LoadWord() == 1, kLeft);
        Check(entry.vma->start == entry.start && entry.vma->end == entry.end, kLeft);
      }
    }
  }

  std::string NameOf(const void* address) const { return ghost_.NameOf(address); }
  std::string TextOf(const void* address, std::uint64_t value) const {
    return ghost_.TextOf(address, value);
  }

 private:
  using Pool = Mm::Pool;

  static constexpr const char* kSkipped = "skipped";
  static constexpr const char* kNoMm = "no mm";
  static constexpr const char* kNone = "none";
  static constexpr const char* kChanged = "VMA changes under a reader";
  static constexpr const char* kLeft = "something is left behind";
  static constexpr int kMaxOwed = 16;

  struct Thread {
    JACQUARD_UNHOOKED Thread() = default;
    // What it holds for reading.
    Mm* mm = nullptr;
    Vma* vma = nullptr;
    lock::Address start = 0;
    lock::Address end = 0;
    // Uses that it may not end yet.
    int owed = 0;
    Mm* owed_mms[kMaxOwed] = {};
  };

  JACQUARD_UNHOOKED Thread& Me() { return threads_[CurrentThread()]; }
  JACQUARD_UNHOOKED bool Holds() { return Me().vma != nullptr; }

  // --- Places ---

  // The mm in the place, with one user more; null if there is none any more.
  Mm* Use(int place) {
    if (Me().owed == kMaxOwed) return nullptr;
    const std::lock_guard guard(places_mutex_);
    if (!ever_[place]) {
      ever_[place] = true;
      Mm* const mm = Mm::Create(pool_);
      mm->MapRange(2, 6, {.writable = true, .grows_down = true});
      Put(place, mm);
    }
    Mm* const mm = places_[place];
    if (mm != nullptr) mm->GetUser();
    return mm;
  }

  // Puts another one there, or none, and returns the one that was there.
  Mm* Settle(int place, Mm* mm) {
    const std::lock_guard guard(places_mutex_);
    ever_[place] = true;
    Mm* const old = places_[place];
    Put(place, mm);
    return old;
  }

  void Put(int place, Mm* mm) {
    places_[place] = mm;
    if (!simulated_) return;
    const Ghost ghost;
    ghost_.Place(place, mm);
    if (mm == nullptr) return;
    for (const auto& entry : mm->Entries()) ghost_.Know(entry.vma);
  }

  // The last user has to free all VMAs.
  void PutUser(Mm* mm) {
    BeginWriting();
    mm->PutUser();
    EndWriting();
  }

  void PutUnlessHeld(Mm* mm) {
    if (Holds()) {
      Me().owed_mms[Me().owed++] = mm;
    } else {
      PutUser(mm);
    }
  }

  // --- Reading and writing ---

  void BeginReading(const Mm& mm, const Vma* vma, lock::Address at) {
    TellOfReading(mm, vma);
    Check(vma->Contains(at), GhostState::kWrongVma);
  }
  void EndReading(Vma* vma) {
    TellOfReadingEnd(vma);
    vma->lock.EndRead();
  }

  const char* Look(const Mm& mm, Vma* vma, lock::Address at) {
    if (vma == nullptr) return kNone;
    BeginReading(mm, vma, at);
    Check(vma->flags.writable, GhostState::kWrongVma);
    EndReading(vma);
    return "found";
  }

  template <class Body>
  const char* Write(int place, Body body) {
    if (Holds()) return kSkipped;
    Mm* const mm = Use(place);
    if (mm == nullptr) return kNoMm;
    BeginWriting();
    const bool result = body(*mm);
    PutUser(mm);
    EndWriting();
    return EndOperation(result ? "true" : "false");
  }

  // --- Ghost state: no steps, in the simulation only ---

  JACQUARD_UNHOOKED void TellOfReading(const Mm& mm, const Vma* vma) {
    if (simulated_) ghost_.BeginReading(vma, mm);
  }
  JACQUARD_UNHOOKED void TellOfReadingEnd(const Vma* vma) {
    if (simulated_) ghost_.EndReading(vma);
  }
  JACQUARD_UNHOOKED void BeginWriting() {
    if (simulated_) ghost_.BeginWriting();
  }
  JACQUARD_UNHOOKED void EndWriting() {
    if (simulated_) ghost_.EndWriting();
  }
  const char* EndOperation(const char* result) {
    Check(lock::Rcu::ReadDepth() == 0, GhostState::kDepth);
    TellOfEnd();
    return result;
  }
  JACQUARD_UNHOOKED void TellOfEnd() {
    if (simulated_) ghost_.EndOperation(CurrentThread(), Holds() ? 1 : 0);
  }

  const bool simulated_;
  union {  // not destroyed in the simulation, where what is in use goes with the execution
    Pool pool_;
  };
  std::mutex places_mutex_;
  Mm* places_[kMms] = {};
  bool ever_[kMms] = {};
  Thread threads_[kMaxThreads];
  GhostState ghost_;
};

#pragma clang attribute pop

}  // namespace jacquard

#endif  // JACQUARD_FUZZERS_ADDRESS_SPACE_SCENARIO_H_
