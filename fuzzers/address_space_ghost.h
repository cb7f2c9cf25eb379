// The ghost state of address spaces: what must hold of every VMA after every step.
//
// Each VMA lies in the pool's memory, whoever has it. The ghost state hears of each change of a
// VMA's word and number, and of each mm's sequence; the scenario tells it who reads which VMA. The
// rules, by their numbers in the order in which the lock's designers would ask:
//
//   (1) No reader is in a VMA that gets the number of a write section, or is recycled; and no
//       reader gets into one that has the open section's.                    kReaderAndWriter
//   (2) A reader's VMA is of the mm that it asked for, and has the address.  kWrongVma
//   (3) A word of 0 becomes 1 and nothing else; the word never overflows; FLAG is set only while a
//       writer is at work.                                                   kWord, kFlagLeft
//   (4) An mm's sequence changes only while it is locked for writing, and is odd only then. kParity
//   (5) An mm is not touched after its last hold.               The heap's oracle.
//
//   (6) A writer that may go on goes on.                        The runtime's: deadlock.
//
//   (7) An operation leaves no RCU section open.                kDepth
//
//   (8) A VMA gets no number but its mm's present one, or that of a new VMA.    kNumber
//
//   (9) What is taken is given back.                            address_space_books.h
//
// Functions here have no hooks: they make no step.
#ifndef JACQUARD_FUZZERS_ADDRESS_SPACE_GHOST_H_
#define JACQUARD_FUZZERS_ADDRESS_SPACE_GHOST_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "fuzzers/address_space_books.h"
#include "fuzzers/private_members.h"
#include "fuzzers/vma_lock_words.h"
#include "lock/address_space.h"
#include "sim/runtime.h"
#include "sim/step.h"

namespace jacquard::fuzzers {

// ---- private members

using BookedVmaLock = lock::BasicVmaLock<lock::KernelWidths, AddressSpaceBooks>;
using BookedMmap = lock::BasicMmapLock<lock::KernelWidths, AddressSpaceBooks>;

#define JACQUARD_EXPOSE(Tag, MemberType, member) \
  struct Tag {                                   \
    using Type = MemberType BookedVmaLock::*;    \
    friend constexpr Type Exposed(Tag);          \
  };                                             \
  template struct Expose<Tag, &BookedVmaLock::member>
JACQUARD_EXPOSE(BookedWord, lock::Refcount<std::uint32_t>, references_);
JACQUARD_EXPOSE(BookedNumber, std::atomic<std::uint32_t>, lock_sequence_);
JACQUARD_EXPOSE(BookedMm, std::atomic<BookedMmap*>, mm_);
JACQUARD_EXPOSE(BookedMap, AddressSpaceBooks::Map, map_);
#undef JACQUARD_EXPOSE

}  // namespace jacquard::fuzzers

// Nothing from here to the matching pop is instrumented.
#pragma clang attribute push(__attribute__((no_sanitize("thread"), no_sanitize("coverage"), \
                                            disable_sanitizer_instrumentation)),            \
                             apply_to = function)

namespace jacquard::fuzzers {

class AddressSpaceGhost {
 public:
  using Mm = lock::BasicAddressSpace<AddressSpaceBooks>;
  using Vma = Mm::Vma;
  using Values = BookedVmaLock::Values;

  static constexpr int kThreads = AddressSpaceBooks::kThreads;
  static constexpr int kMms = 2;
  static constexpr int kVmas = 32;

  static constexpr const char* kReaderAndWriter = "reader and writer in one VMA";
  static constexpr const char* kWrongVma = "reader has a VMA that it did not ask for";
  static constexpr const char* kWord = "word of a VMA is out of order";
  static constexpr const char* kFlagLeft = "FLAG is left behind";
  static constexpr const char* kParity = "sequence odd without a writer, or even with one";
  static constexpr const char* kDepth = "operation leaves an RCU section open";
  static constexpr const char* kNumber = "VMA has a number that is not the open section's";
  static constexpr const char* kHeldLock = "lock is held while its VMA is recycled";
  static constexpr const char* kNotGivenBack = "operation keeps a lock";

  AddressSpaceGhost() {
    for (int& total : AddressSpaceBooks::total) total = 0;
    if (!Simulated()) return;
    present = this;
    AddressSpaceBooks::on_destroyed = [](const AddressSpaceBooks::Map& map) {
      present->Forget(map);
    };
  }

  // --- What the scenario tells ---

  // A VMA that readers or writers have come across.
  void Know(const Vma* vma) {
    Known* place = known_ != kVmas ? &vmas_[known_] : nullptr;
    for (int i = 0; i < known_; ++i) {
      if (vmas_[i].vma == vma) return;
      if (vmas_[i].vma == nullptr) place = &vmas_[i];
    }
    if (place == nullptr) return;
    if (place == &vmas_[known_]) ++known_;
    *place = {vma, 0, Word(vma)};
  }
  // The mm in a place; null if there is none. Who is in a place is alive.
  void Place(int place, const Mm* mm) {
    mms_[place] = mm;
    if (mm != nullptr) sequence_[place] = Sequence(*mm);
  }

  void BeginWriting() { ++writers_; }
  void EndWriting() {
    if (--writers_ != 0) return;
    for (int i = 0; i < known_; ++i) {
      if (vmas_[i].vma != nullptr && Word(vmas_[i].vma) >= Values::kFlag)
        Fail(kFlagLeft, NameOfVma(i));
    }
  }

  // A reader has got the VMA, looking for `address` in `mm`; and is about to give it back.
  void BeginReading(const Vma* vma, const Mm& mm) {
    Know(vma);
    Known& known = *Find(vma);
    const BookedMmap* const its_mm = Peek(vma->lock.*Exposed(BookedMm{}));
    if (its_mm != static_cast<const BookedMmap*>(&mm)) Fail(kWrongVma, "VMA of another mm");
    const std::uint32_t sequence = Sequence(mm);
    if ((sequence & 1) != 0 && Number(vma) == sequence) {
      Fail(kReaderAndWriter, "a reader got into " + NameOfVma(known) + ", which is write-locked");
    }
    ++known.readers;
  }
  void EndReading(const Vma* vma) { --Find(vma)->readers; }

  // An operation is over, after which the thread has `held` locks.
  void EndOperation(int thread, int held) const {
    if (AddressSpaceBooks::total[thread] != held) Fail(kNotGivenBack, "or gives back too much");
  }

  // --- After every step ---

  void OnStep(const Step& step) {
    if (step.kind != StepKind::kStore && step.kind != StepKind::kReadModifyWrite) return;
    const auto address = reinterpret_cast<std::uintptr_t>(step.address);
    for (int i = 0; i < known_; ++i) {
      const std::uintptr_t offset = address - reinterpret_cast<std::uintptr_t>(vmas_[i].vma);
      if (vmas_[i].vma == nullptr || offset >= sizeof(Vma)) continue;
      if (step.address == &(vmas_[i].vma->lock.*Exposed(BookedWord{}))) return OnWord(step, i);
      if (step.address == &(vmas_[i].vma->lock.*Exposed(BookedNumber{}))) OnNumber(i);
      return;
    }
    for (int m = 0; m < kMms; ++m) {
      if (mms_[m] != nullptr && step.address == &mms_[m]->counter()) return OnSequence(m);
    }
  }

  std::string NameOf(const void* address) const {
    for (int i = 0; i < known_; ++i) {
      const Vma* const vma = vmas_[i].vma;
      if (vma == nullptr) continue;
      if (address == &(vma->lock.*Exposed(BookedWord{}))) return NameOfVma(i) + ".refcount";
      if (address == &(vma->lock.*Exposed(BookedNumber{}))) return NameOfVma(i) + ".lock_seq";
      if (address == &(vma->lock.*Exposed(BookedMm{}))) return NameOfVma(i) + ".mm";
    }
    for (int m = 0; m < kMms; ++m) {
      const std::string name = "mm" + std::to_string(m);
      if (mms_[m] == nullptr) continue;
      if (address == &mms_[m]->counter()) return name + ".lock_seq";
      if (address == &mms_[m]->semaphore()) return name + ".semaphore";
    }
    return {};
  }
  std::string TextOf(const void* address, std::uint64_t value) const {
    for (int i = 0; i < known_; ++i) {
      if (vmas_[i].vma == nullptr) continue;
      if (address == &(vmas_[i].vma->lock.*Exposed(BookedWord{}))) {
        return TextOfWord<lock::KernelWidths>(value);
      }
    }
    return {};
  }

  // Of the VMA whose word changed last: its references and FLAG; and how many write.
  int StateFeature() const { return feature_; }

 private:
  struct Known {
    Known() = default;
    Known(const Vma* v, int r, std::uint32_t w) : vma(v), readers(r), word(w) {}
    const Vma* vma = nullptr;  // null: its memory has gone back to the heap
    int readers = 0;           // that the scenario knows of
    std::uint32_t word = 0;
  };

  // The newest values.
  template <class T>
  static T Peek(const std::atomic<T>& object) {
    return *reinterpret_cast<const T*>(&object);
  }
  static std::uint32_t Word(const Vma* vma) {
    return *reinterpret_cast<const std::uint32_t*>(&(vma->lock.*Exposed(BookedWord{})));
  }
  static std::uint32_t Number(const Vma* vma) { return Peek(vma->lock.*Exposed(BookedNumber{})); }
  static std::uint32_t Sequence(const BookedMmap& mm) {
    return *reinterpret_cast<const std::uint32_t*>(&mm.counter());
  }
  static bool IsLockedForWriting(const BookedMmap& mm) {
    const auto word = *reinterpret_cast<const std::uint32_t*>(&mm.semaphore());
    return (word & Exposed(SemaphoreWriterBit{})) != 0;
  }

  Known* Find(const Vma* vma) {
    for (int i = 0; i < known_; ++i) {
      if (vmas_[i].vma == vma) return &vmas_[i];
    }
    Fail(kWrongVma, "VMA that nobody knows");
  }

  // The VMA's memory goes back.
  void Forget(const AddressSpaceBooks::Map& map) {
    for (int i = 0; i < known_; ++i) {
      if (vmas_[i].vma == nullptr || &(vmas_[i].vma->lock.*Exposed(BookedMap{})) != &map) continue;
      if (vmas_[i].readers != 0) Fail(kHeldLock, NameOfVma(i) + " goes back to the heap");
      vmas_[i] = Known();
    }
  }

  void OnWord(const Step& step, int i) {
    const auto before = static_cast<std::uint32_t>(step.old_value);
    const auto after = static_cast<std::uint32_t>(step.new_value);
    if (before == 0 && after > 1) Fail(kWord, NameOfVma(i) + " is detached, and raised");
    if (after > Values::kLargest) Fail(kWord, NameOfVma(i) + " is corrupt");
    if (after >= Values::kFlag && writers_ == 0) Fail(kFlagLeft, NameOfVma(i));
    const std::uint32_t references = after & (Values::kFlag - 1);
    if (vmas_[i].readers > static_cast<int>(references)) {
      Fail(kWord, NameOfVma(i) + " has more readers than references");
    }
    feature_ = static_cast<int>(references < 4 ? references : 4) +
               (after >= Values::kFlag ? 5 : 0) + 10 * (writers_ < 3 ? writers_ : 3);
  }

  void OnNumber(int i) {
    const Vma* const vma = vmas_[i].vma;
    const std::uint32_t number = Number(vma);
    const bool is_new = number == Values::LockSequence::kNeverLocked;
    const BookedMmap* const mm = Peek(vma->lock.*Exposed(BookedMm{}));
    if (!is_new && number != Sequence(*mm)) Fail(kNumber, NameOfVma(i));
    if (vmas_[i].readers != 0) {
      Fail(kReaderAndWriter,
           NameOfVma(i) + (is_new ? " is recycled" : " is write-locked") + " under a reader");
    }
    if (!is_new) return;
    for (const std::uint8_t taken : (vma->lock.*Exposed(BookedMap{})).taken) {
      if (taken != 0) Fail(kHeldLock, NameOfVma(i));
    }
  }

  void OnSequence(int m) {
    const std::uint32_t next = (sequence_[m] + 1) & 0xFFFFFFFF;
    sequence_[m] = Sequence(*mms_[m]);
    if (sequence_[m] != next || !IsLockedForWriting(*mms_[m])) Fail(kParity, "mm's sequence");
  }

  std::string NameOfVma(int i) const { return "vma" + std::to_string(i); }
  std::string NameOfVma(const Known& known) const {
    return NameOfVma(static_cast<int>(&known - vmas_));
  }

  inline static AddressSpaceGhost* present = nullptr;  // of this execution

  Known vmas_[kVmas];
  int known_ = 0;
  const Mm* mms_[kMms] = {};
  std::uint32_t sequence_[kMms] = {};
  int writers_ = 0;  // threads in an operation that writes
  int feature_ = 0;
};

}  // namespace jacquard::fuzzers

#pragma clang attribute pop

#endif  // JACQUARD_FUZZERS_ADDRESS_SPACE_GHOST_H_
