// One thread of the per-VMA lock's scenario: what it holds, and what it may therefore do.
//
// The rules of use, each a function here:
//
//   * The mmap lock is not taken twice by one thread.
//   * Who holds a VMA for reading does not *wait* for the mmap lock (a try is all right): its owner
//     may wait for that very reader.
//   * start_write, mark_attached, mark_detached need the mmap lock for writing; so does downgrade.
//     start_read_locked needs it in some way. start_read needs nothing.
//   * mark_attached and mark_detached need the VMA write-locked in this section, and detached or
//     attached, respectively.
//   * Who holds a VMA for reading does not write-lock it, unless it has done so before, and does
//     not detach it: it would wait for itself.
//
// This is bookkeeping of the scenario's own, which no other thread looks at, and no part of what is
// tested: functions here have no hooks.
#ifndef JACQUARD_FUZZERS_VMA_LOCK_ACTOR_H_
#define JACQUARD_FUZZERS_VMA_LOCK_ACTOR_H_

#include <cstdint>
#include <string>

#include "fuzzers/mmap_lock_ghost.h"
#include "fuzzers/vma_lock_ghost.h"
#include "fuzzers/vma_lock_words.h"
#include "lock/widths.h"

// Nothing from here to the matching pop is instrumented.
#pragma clang attribute push(__attribute__((no_sanitize("thread"), no_sanitize("coverage"), \
                                            disable_sanitizer_instrumentation)),            \
                             apply_to = function)

namespace jacquard::fuzzers {

// What a thread holds, and the values that it has read under its locks.
struct VmaLockHoldings {
  VmaLockHoldings() = default;  // spelt out: an implicit one has hooks

  using Share = MmapLockGhost::Share;
  static constexpr int kVmas = 3;
  // Read locks of one VMA that one thread may hold at once.
  static constexpr int kMaxReads = 2;

  bool ReadsAny() const { return (reads[0] | reads[1] | reads[2]) != 0; }
  bool Any() const { return share != Share::kNone || ReadsAny(); }
  // Whether the VMA is write-locked in this section.
  bool Writes(int v) const { return (writes >> v & 1) != 0; }

  // "mm for writing, vma0 for reading"; "" if it holds nothing.
  std::string InWords() const {
    std::string text;
    const auto add = [&text](const std::string& lock, const char* how) {
      text += (text.empty() ? "" : ", ") + lock + how;
    };
    if (share == Share::kWriter) add("mm", " for writing");
    if (share == Share::kReader) add("mm", " for reading");
    for (int v = 0; v < kVmas; ++v) {
      const std::string vma = "vma" + std::to_string(v);
      if (Writes(v)) add(vma, " for writing");
      if (reads[v] != 0) add(vma, reads[v] == 1 ? " for reading" : " for reading, twice");
    }
    return text;
  }

  Share share = Share::kNone;  // of the mmap lock
  std::uint8_t writes = 0;     // the VMAs write-locked in this section, a bit each
  std::uint8_t reads[kVmas] = {};
  std::uint32_t vma_seen[kVmas] = {};
  std::uint32_t mm_seen = 0;
};

// A thread in an operation, from the beginning of the object's life to its end. Keeps the thread's
// accounts and tells the ghost state.
template <lock::LockWidths Widths>
class VmaLockActor {
 public:
  using GhostState = VmaLockGhost<Widths>;
  using Share = MmapLockGhost::Share;

  // No ghost state, null, in the native form.
  VmaLockActor(GhostState* ghost, VmaLockHoldings& holdings, int thread, Doing doing)
      : ghost_(ghost), mine_(holdings), thread_(thread) {
    if (ghost_ != nullptr) ghost_->Begin(thread_, doing);
  }
  ~VmaLockActor() {
    if (ghost_ != nullptr) ghost_->End(thread_);
  }
  VmaLockActor(const VmaLockActor&) = delete;
  VmaLockActor& operator=(const VmaLockActor&) = delete;

  // --- The rules of use ---

  bool MayWaitForMmap() const { return !mine_.Any(); }
  bool MayTryMmap() const { return mine_.share == Share::kNone; }
  bool MayDowngrade() const { return mine_.share == Share::kWriter; }
  bool MayRead(int v) const { return mine_.reads[v] != VmaLockHoldings::kMaxReads; }
  bool MayReadLocked(int v) const { return mine_.share != Share::kNone && MayRead(v); }
  bool MayWrite(int v) const {
    return mine_.share == Share::kWriter && (mine_.reads[v] == 0 || mine_.Writes(v));
  }
  bool MayAttach(int v) const { return mine_.Writes(v); }
  bool MayDetach(int v) const { return mine_.Writes(v) && mine_.reads[v] == 0; }

  // --- What it holds ---

  Share share() const { return mine_.share; }
  bool Reads(int v) const { return mine_.reads[v] != 0; }
  bool Writes(int v) const { return mine_.Writes(v); }
  bool WritesAny() const { return mine_.writes != 0; }
  std::uint32_t mm_seen() const { return mine_.mm_seen; }
  std::uint32_t vma_seen(int v) const { return mine_.vma_seen[v]; }

  // --- What happens: the lock first, then this ---

  void TakeMmap(Share share) {
    mine_.share = share;
    if (ghost_ != nullptr) ghost_->MmapLocked(thread_, share);
  }
  void FailToTakeMmap(bool shared) const {
    if (ghost_ != nullptr) ghost_->MmapTryFailed(thread_, shared);
  }
  // The other way round: its holdings first, so that a step of the unlocking finds them right.
  void DropMmap() { mine_.share = Share::kNone; }
  void HasNoMmap() const {
    if (ghost_ != nullptr) ghost_->MmapLocked(thread_, Share::kNone);
  }
  void SeeMm(std::uint32_t value) { mine_.mm_seen = value; }

  void TakeRead(int v) const {
    if (ghost_ != nullptr) ghost_->ReadLocked(thread_, v);
  }
  void FindDetached(int v) const {
    if (ghost_ != nullptr) ghost_->FoundDetached(thread_, v);
  }
  // Counts a read lock, under which it sees `value`. False if it saw another one under a read lock
  // that it had before.
  [[nodiscard]] bool SeeVma(int v, std::uint32_t value) {
    const bool same = mine_.reads[v]++ == 0 || mine_.vma_seen[v] == value;
    mine_.vma_seen[v] = value;
    return same;
  }
  void DropRead(int v) { --mine_.reads[v]; }

  void TakeWrite(int v) const {
    if (ghost_ != nullptr) ghost_->WriteLocked(thread_, v);
  }
  // False if it had write-locked the VMA in this section before.
  [[nodiscard]] bool FirstWrites(int v) {
    if (mine_.Writes(v)) return false;
    mine_.writes |= static_cast<std::uint8_t>(1u << v);
    return true;
  }
  void DropWrites() { mine_.writes = 0; }
  void Attach(int v) const {
    if (ghost_ != nullptr) ghost_->Attached(thread_, v);
  }
  void Detach(int v) const {
    if (ghost_ != nullptr) ghost_->Detached(thread_, v);
  }

 private:
  GhostState* const ghost_;
  VmaLockHoldings& mine_;
  const int thread_;
};

}  // namespace jacquard::fuzzers

#pragma clang attribute pop

#endif  // JACQUARD_FUZZERS_VMA_LOCK_ACTOR_H_
