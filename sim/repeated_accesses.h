// Plain accesses that are repeated: told apart at once from those that the memory model has to see.
//
// As long as a thread runs on without an event (a step, a release, a switch, a block that is
// freed), a plain access to bytes that it has accessed in this stretch in the same way, or has
// written, shows nothing new: what races with it has raced with that one, the roll-back has heard
// of it, nobody has begun to wait for it, and the memory is still there. Most plain accesses of
// programs that compute are such. The idea is FastTrack's (Flanagan and Freund, PLDI 2009), whose
// "same epoch" cases come first; here it is a word for each 8 bytes, so that the cells of the model
// need not be searched.
//
// A word holds which stretch it is of, and which of the 8 bytes have been written and read in it.
// Words of earlier stretches mean nothing, so nothing is ever cleared. There are some for covered
// memory only (covered_memory.h), at a fixed distance from it.
#ifndef JACQUARD_SIM_REPEATED_ACCESSES_H_
#define JACQUARD_SIM_REPEATED_ACCESSES_H_

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "sim/covered_memory.h"

namespace jacquard::sim {

// Not thread-safe: for the thread that executes.
class RepeatedAccesses {
 public:
  // Reserves the words. Call once. Ends the process with a message if the addresses are taken.
  void Init();

  // Something has happened that is no plain access of the running thread: another stretch begins.
  void BeginStretch() {
    stretch_ += kOneStretch;
    not_kept_ = kNotKept;
  }
  // Whether anything is known of this stretch. If not, to ask is to lose time.
  bool KnowsAny() const { return not_kept_ == 0; }

  // Memory has been given back, or is given out: what comes there is new.
  void Forget(const void* address, size_t size) {
    const auto bits = reinterpret_cast<uintptr_t>(address);
    if (!KnowsAny() || size == 0 || !IsCovered(bits)) return;
    if (size > kMostForgotten || !IsCovered(bits, size)) return BeginStretch();
    std::memset(WordOf(bits), 0, (bits % 8 + size + 7) / 8 * 8);
  }

  // The part of the heap goes back to the system; it begins a page.
  static void GiveBack(uintptr_t begin, size_t size);

  // Whether the running thread has accessed all of 1 to 8 bytes at `address` in this stretch, by
  // writes if `kWrites`. False also means "not known".
  template <bool kWrites>
  [[gnu::always_inline]] bool Has(const void* address, size_t size) const {
    const auto bits = reinterpret_cast<uintptr_t>(address);
    if (!KnowsAny() || !IsCovered(bits)) return false;
    const uint64_t bytes = BytesIn(bits, size);  // those from bit 8 on lie in the next word
    const uint64_t* const word = WordOf(bits);
    return Shows<kWrites>(word[0], bytes & 0xFF) &&
           (bytes <= 0xFF || Shows<kWrites>(word[1], bytes >> 8));
  }

  // How many of the `size` bytes at `address`, from the first one on, have been accessed so, or
  // else have not. Whole words but for the first and the last.
  template <bool kWrites>
  size_t CountKnown(const void* address, size_t size) const {
    return CountWhile(address, size, true, kWrites);
  }
  template <bool kWrites>
  size_t CountUnknown(const void* address, size_t size) const {
    return CountWhile(address, size, false, kWrites);
  }

  // The running thread has accessed the bytes, and the model has seen it.
  template <bool kWrites>
  [[gnu::always_inline]] void Note(const void* address, size_t size) {
    const size_t words = (size + 7) / 8;
    if (not_kept_ >= words) [[likely]] {
      not_kept_ -= words;
      return;
    }
    not_kept_ = 0;
    Keep(reinterpret_cast<uintptr_t>(address), size, kWrites);
  }

 private:
  // Of the first words that are accessed in a stretch nothing is kept. Most stretches are short,
  // and then it would not pay.
  static constexpr size_t kNotKept = 32;
  // A word: the stretch, and below it which bytes have been written, and which have been accessed.
  static constexpr uint64_t kOneStretch = 1 << 16;
  static constexpr int kWritten = 8;
  // Larger blocks than that are not forgotten word by word.
  static constexpr size_t kMostForgotten = 4096;

  static constexpr uintptr_t kDistance = 0x600'0000'0000;  // where nothing else lies
  static uint64_t* WordOf(uintptr_t address) {
    return reinterpret_cast<uint64_t*>((address & ~uintptr_t{7}) + kDistance);
  }
  static uint64_t BytesIn(uintptr_t address, size_t size) {
    return ((uint64_t{1} << size) - 1) << address % 8;
  }
  template <bool kWrites>
  [[gnu::always_inline]] bool Shows(uint64_t word, uint64_t bytes) const {
    const uint64_t bits = kWrites ? bytes << kWritten : bytes;
    return (word & (~(kOneStretch - 1) | bits)) == (stretch_ | bits);
  }
  [[gnu::noinline]] void Keep(uintptr_t address, size_t size, bool writes);
  size_t CountWhile(const void* address, size_t size, bool known, bool writes) const;

  uint64_t stretch_ = kOneStretch;
  size_t not_kept_ = kNotKept;  // so many words more of this stretch
};

// Hidden: reached without a look into a table.
[[gnu::visibility("hidden")]] extern RepeatedAccesses repeated_accesses;

}  // namespace jacquard::sim

#endif  // JACQUARD_SIM_REPEATED_ACCESSES_H_
