// How wide the lock's two numbers are: the reference word and the sequence counter.
//
// The kernel's widths are the ones to use. Narrow ones make the tests over all values finite and
// bring within a fuzzer's reach what takes 2^31 write sections otherwise: a sequence that comes
// round, a word that is full of readers.
#ifndef JACQUARD_LOCK_WIDTHS_H_
#define JACQUARD_LOCK_WIDTHS_H_

#include <concepts>
#include <cstdint>
#include <limits>

namespace jacquard::lock {

// Word: the unsigned type of the reference word. kFlagBit: which bit says "readers are excluded";
// the bits below it count, the top bit is only ever set by a bug. Bit 2 is the least: below it
// there would be room for no reader. kSequenceBits: the sequence counts modulo two to this power;
// at 1 no value would be left for "never write-locked".
template <class W>
concept LockWidths = std::unsigned_integral<typename W::Word> && (W::kFlagBit >= 2) &&
                     (W::kFlagBit < std::numeric_limits<typename W::Word>::digits - 1) &&
                     (W::kSequenceBits >= 2) && (W::kSequenceBits <= 64);

// As in the Linux kernel.
struct KernelWidths {
  using Word = std::uint32_t;
  static constexpr int kFlagBit = 30;
  static constexpr int kSequenceBits = 32;
};

// Few enough values to try them all: 256 words, 8 sequences.
struct NarrowWidths {
  using Word = std::uint8_t;
  static constexpr int kFlagBit = 6;
  static constexpr int kSequenceBits = 3;
};

// A sequence that comes round after two write sections, and no room for more than two readers.
struct TinyWidths {
  using Word = std::uint8_t;
  static constexpr int kFlagBit = 2;
  static constexpr int kSequenceBits = 2;
};

static_assert(LockWidths<KernelWidths> && LockWidths<NarrowWidths> && LockWidths<TinyWidths>);

}  // namespace jacquard::lock

#endif  // JACQUARD_LOCK_WIDTHS_H_
