// The per-VMA lock under load: each operation is a whole section, with the work that is done in it.
//
// Every VMA guards a record: eight words with a checksum over them, and the number of sections that
// have written it. Readers check the record, writers write a new one and keep accounts of how
// often; when all threads are done, the number in each record must be the sum of the accounts. The
// record of the mm is guarded by the mmap lock in the same way.
//
// Who cannot read-lock a VMA goes the long way, as the kernel's fault handler: under the mmap lock,
// where the VMA is read-locked without a look at its number. `kill` is the fatal signal of killable
// waits. Long sections are rare (hold_read, hold_write): what they are for is to make others wait.
//
// A scenario class like any other (fuzzers/scenario.h), for more threads and without a ghost state.
#ifndef JACQUARD_STRESS_VMA_LOCK_TORTURE_H_
#define JACQUARD_STRESS_VMA_LOCK_TORTURE_H_

#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>

#include "fuzzers/killable_waits.h"
#include "fuzzers/scenario.h"
#include "lock/lockdep/validator.h"
#include "lock/mmap_lock.h"
#include "lock/validator.h"
#include "lock/vma_lock.h"
#include "lock/widths.h"
#include "sim/runtime.h"
#include "stress/checked_record.h"

namespace jacquard {

// Who holds what is decided at run time here.
#pragma clang attribute push(__attribute__((no_thread_safety_analysis)), apply_to = function)

// With one validator.
template <lock::LockValidator Validator>
class VmaLockSections {
 public:
  using Mmap = lock::BasicMmapLock<lock::KernelWidths, Validator>;
  using Vma = lock::BasicVmaLock<lock::KernelWidths, Validator>;

  static constexpr int kThreads = 16;
  static constexpr int kVmas = 4;

  VmaLockSections() {
    mm_.Lock();
    for (Guarded& guarded : vmas_) {
      guarded.vma.Initialize(mm_);
      guarded.vma.StartWrite(mm_);
      guarded.vma.MarkAttached(mm_);
    }
    mm_.Unlock();
  }

  ~VmaLockSections() {
    mm_.Lock();
    for (Guarded& guarded : vmas_) {
      guarded.vma.StartWrite(mm_);
      guarded.vma.MarkDetached(mm_);
    }
    mm_.Unlock();
  }

  // --- Readers ---

  const char* Read(int v, bool for_long) {
    Says(Stage::kReads, v);
    Guarded& guarded = vmas_[v];
    const char* result = "locked";
    switch (guarded.vma.StartRead(mm_)) {
      case lock::ReadResult::kLocked:
        break;
      case lock::ReadResult::kDetached:
        return "detached";
      case lock::ReadResult::kContended:
        // The long way. The mmap lock keeps writers out until the read lock is there.
        Says(Stage::kWaitsForMmap, v);
        mm_.LockShared();
        const bool locked = guarded.vma.StartReadLocked(mm_);
        mm_.UnlockShared();
        if (!locked) return "full";
        result = "locked under the mmap lock";
    }
    Says(Stage::kHoldsRead, v);
    const std::uint64_t number = guarded.record.Check();
    if (for_long) HoldOn();
    Check(guarded.record.Check() == number, "data changes under a reader");
    guarded.vma.EndRead();
    return result;
  }

  const char* ReadMm(bool try_only) {
    Says(Stage::kWaitsForMmap);
    if (!try_only) {
      mm_.LockShared();
    } else if (!mm_.TryLockShared()) {
      return "busy";
    }
    Says(Stage::kHoldsMmapShared);
    mm_record_.Check();
    mm_.UnlockShared();
    return "locked";
  }

  const char* Speculate(int v) {
    const auto began = mm_.SpeculateTryBegin();
    if (!began) return "busy";
    const CheckedRecord::Glimpse glimpse = vmas_[v].record.Look();
    if (mm_.SpeculateRetry(*began)) return "retried";
    Check(glimpse.IsWhole(), "speculation validates a torn record");
    return "validated";
  }

  // --- Writers ---

  const char* Write(int first, int last, bool for_long) {
    Says(Stage::kWaitsForMmap, first);
    mm_.Lock();
    WriteMm();
    for (int v = first; v <= last; ++v) {
      Says(Stage::kWaitsForReaders, v);
      vmas_[v].vma.StartWrite(mm_);
    }
    Says(Stage::kHoldsWrite, first);
    for (int v = first; v <= last; ++v) WriteVma(v);
    if (for_long) HoldOn();
    mm_.Unlock();
    return nullptr;
  }

  const char* WriteKillable(int v) {
    fuzzers::KillableWaits& waits = Me().waits;
    Says(Stage::kWaitsForMmap, v);
    const std::stop_token stop = waits.Begin();
    const char* result = "killed";
    if (mm_.LockKillable(stop)) {
      WriteMm();
      Says(Stage::kWaitsForReaders, v);
      if (vmas_[v].vma.StartWriteKillable(mm_, stop)) {
        Says(Stage::kHoldsWrite, v);
        WriteVma(v);
        result = "written";
      } else {
        result = "killed with the mmap lock";
      }
      mm_.Unlock();
    }
    waits.End();
    if (result[0] == 'k') Check(waits.WasKilled(), "a wait ends as if killed, and was not");
    return result;
  }

  const char* TryWrite(int v) {
    if (!mm_.TryLock()) return "busy";
    WriteMm();
    Says(Stage::kWaitsForReaders, v);
    vmas_[v].vma.StartWrite(mm_);
    WriteVma(v);
    mm_.Unlock();
    return "written";
  }

  // Writes, and goes on as a reader of the mm.
  const char* WriteAndDowngrade(int v) {
    Says(Stage::kWaitsForMmap, v);
    mm_.Lock();
    WriteMm();
    Says(Stage::kWaitsForReaders, v);
    vmas_[v].vma.StartWrite(mm_);
    WriteVma(v);
    const std::uint64_t number = mm_record_.Check();
    mm_.Downgrade();
    Says(Stage::kHoldsMmapShared, v);
    Check(mm_record_.Check() == number, "data changes under a reader");
    mm_.UnlockShared();
    return nullptr;
  }

  // Nobody has a reference while it is detached.
  const char* Replace(int v) {
    Says(Stage::kWaitsForMmap, v);
    mm_.Lock();
    WriteMm();
    Says(Stage::kWaitsForReaders, v);
    Vma& vma = vmas_[v].vma;
    vma.StartWrite(mm_);
    vma.MarkDetached(mm_);
    Check(lock::ReferenceWord<lock::KernelWidths>::IsDetached(vma.LoadWord()),
          "somebody refers to a detached VMA");
    WriteVma(v);
    vma.MarkAttached(mm_);
    mm_.Unlock();
    return nullptr;
  }

  const char* Kill(int thread) { return threads_[thread].waits.Kill(); }

  // Whether a section of the calling thread may be long: once in a while.
  bool IsTimeToHold() { return ++Me().holds % 64 == 0; }

  // --- What the harness asks ---

  void OperationEnds() { Says(Stage::kOutside); }

  void CheckFinal() {
    mm_.Lock();
    std::uint64_t sections = 0;
    for (int v = 0; v < kVmas; ++v) {
      std::uint64_t writes = 0;
      for (const Thread& thread : threads_) writes += thread.writes[v];
      Check(vmas_[v].record.Check() == writes, "a write section has got lost");
      Check(vmas_[v].vma.LoadWord() == lock::ReferenceWord<lock::KernelWidths>::kAttached,
            "a reference is left behind");
    }
    for (const Thread& thread : threads_) sections += thread.sections;
    Check(mm_record_.Check() == sections, "a write section of the mm has got lost");
    mm_.Unlock();
  }

  std::string HeldBy(int thread) const {
    // Relaxed: for a report; pairs with nothing.
    const int said = threads_[thread].stage.load(std::memory_order_relaxed);
    const std::string vma = "vma" + std::to_string(said / kStages);
    switch (static_cast<Stage>(said % kStages)) {
      case Stage::kOutside:
        return {};
      case Stage::kReads:
        return "nothing, tries to read-lock " + vma;
      case Stage::kWaitsForMmap:
        return "nothing, waits for mm";
      case Stage::kHoldsRead:
        return vma + " for reading";
      case Stage::kHoldsMmapShared:
        return "mm for reading";
      case Stage::kWaitsForReaders:
        return "mm for writing, waits for the readers of " + vma;
      case Stage::kHoldsWrite:
        return "mm for writing, " + vma + " for writing";
    }
    return {};
  }

 private:
  // How far a thread has come, for reports.
  enum class Stage {
    kOutside,
    kReads,
    kWaitsForMmap,
    kHoldsRead,
    kHoldsMmapShared,
    kWaitsForReaders,
    kHoldsWrite
  };
  static constexpr int kStages = 8;

  struct Guarded {
    Vma vma;
    CheckedRecord record;
  };

  // One thread's own.
  struct alignas(64) Thread {
    std::uint64_t writes[kVmas] = {};  // of each VMA's record
    std::uint64_t sections = 0;        // of the mm's record
    std::uint64_t holds = 0;           // operations that might have been long
    std::atomic<int> stage = 0;        // and the VMA: kStages * vma + stage
    fuzzers::KillableWaits waits;
  };

  Thread& Me() { return threads_[CurrentThread()]; }

  void Says(Stage stage, int v = 0) {
    // Relaxed: as in HeldBy.
    Me().stage.store(v * kStages + static_cast<int>(stage), std::memory_order_relaxed);
  }

  void WriteMm() {
    mm_record_.Write();
    ++Me().sections;
  }
  void WriteVma(int v) {
    vmas_[v].record.Write();
    ++Me().writes[v];
  }

  static void HoldOn() { std::this_thread::sleep_for(std::chrono::microseconds(200)); }

  Mmap mm_;
  Guarded vmas_[kVmas];
  CheckedRecord mm_record_;
  Thread threads_[kThreads];
};

// The same with either validator, as --validator says.
class VmaLockTorture {
 public:
  static constexpr const char* kName = "vma_lock_torture";
  static constexpr int kMinThreads = 1;
  static constexpr int kMaxThreads = VmaLockSections<lock::NoValidator>::kThreads;
  static constexpr int kVmas = VmaLockSections<lock::NoValidator>::kVmas;

  static auto Operations() {
    using S = VmaLockTorture;
    return jacquard::Operations<S>{
        {"read", &S::Read, {"vma", kVmas}},
        {"hold_read", &S::HoldRead, {"vma", kVmas}},
        {"read_mm", &S::ReadMm},
        {"try_read_mm", &S::TryReadMm},
        {"speculate", &S::Speculate, {"vma", kVmas}},
        {"write", &S::Write, {"vma", kVmas}},
        {"write_all", &S::WriteAll},
        {"hold_write", &S::HoldWrite, {"vma", kVmas}},
        {"write_killable", &S::WriteKillable, {"vma", kVmas}},
        {"try_write", &S::TryWrite, {"vma", kVmas}},
        {"downgrade", &S::Downgrade, {"vma", kVmas}},
        {"replace", &S::Replace, {"vma", kVmas}},
        {"kill", &S::Kill, {"thread", kMaxThreads}},
    };
  }

  static void UseValidator(bool on) {
    validated = on;
    lock::lockdep::SetReportHandler([](const lock::lockdep::Report& report) {
      lock::lockdep::PrintReport(report);
      Fail("lock validator", lock::lockdep::HeadlineOf(report.rule));
    });
  }

  VmaLockTorture() {
    if (validated) {
      with_.emplace();
    } else {
      without_.emplace();
    }
  }

  const char* Read(int v) {
    return On([&](auto& s) { return s.Read(v, false); });
  }
  const char* HoldRead(int v) {
    return On([&](auto& s) { return s.Read(v, s.IsTimeToHold()); });
  }
  const char* ReadMm() {
    return On([](auto& s) { return s.ReadMm(false); });
  }
  const char* TryReadMm() {
    return On([](auto& s) { return s.ReadMm(true); });
  }
  const char* Speculate(int v) {
    return On([&](auto& s) { return s.Speculate(v); });
  }
  const char* Write(int v) {
    return On([&](auto& s) { return s.Write(v, v, false); });
  }
  const char* WriteAll() {
    return On([](auto& s) { return s.Write(0, kVmas - 1, false); });
  }
  const char* HoldWrite(int v) {
    return On([&](auto& s) { return s.Write(v, v, s.IsTimeToHold()); });
  }
  const char* WriteKillable(int v) {
    return On([&](auto& s) { return s.WriteKillable(v); });
  }
  const char* TryWrite(int v) {
    return On([&](auto& s) { return s.TryWrite(v); });
  }
  const char* Downgrade(int v) {
    return On([&](auto& s) { return s.WriteAndDowngrade(v); });
  }
  const char* Replace(int v) {
    return On([&](auto& s) { return s.Replace(v); });
  }
  const char* Kill(int thread) {
    return On([&](auto& s) { return s.Kill(thread); });
  }

  void CheckFinal() {
    if (with_) with_->CheckFinal();
    if (without_) without_->CheckFinal();
  }
  std::string HeldBy(int thread) const {
    return with_ ? with_->HeldBy(thread) : without_->HeldBy(thread);
  }

 private:
  template <class Body>
  const char* On(Body body) {
    const auto run = [&](auto& sections) {
      const char* const result = body(sections);
      sections.OperationEnds();
      return result;
    };
    return with_ ? run(*with_) : run(*without_);
  }

  inline static bool validated = false;

  std::optional<VmaLockSections<lock::lockdep::Validator>> with_;
  std::optional<VmaLockSections<lock::NoValidator>> without_;
};

#pragma clang attribute pop

}  // namespace jacquard

#endif  // JACQUARD_STRESS_VMA_LOCK_TORTURE_H_
