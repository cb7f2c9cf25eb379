// The mutator: what libFuzzer's general mutations do not know of the encoding.
#ifndef JACQUARD_FUZZERS_MUTATOR_H_
#define JACQUARD_FUZZERS_MUTATOR_H_

#include <cstddef>
#include <cstdint>
#include <span>

namespace jacquard::fuzzers {

// The engine's own mutation of `size` bytes with room for `max_size`; returns the new size.
using GeneralMutation = size_t (*)(uint8_t* data, size_t size, size_t max_size);

// Changes an encoded input in place. If there is a `general` it mutates all but the version byte
// half of the time; otherwise records are inserted, deleted, repeated or moved as a whole, or a gap
// or choice is changed; then the later exceptions stay at their picks or move with it. The result
// always has the right version. Follows from the bytes and `seed` alone, as far as `general` does.
// Not `by_position`: gaps mean something else, and the later exceptions are left alone (meaning.h).
size_t Mutate(uint8_t* data, size_t size, size_t max_size, uint32_t seed, GeneralMutation general,
              bool by_position = true);

// Makes an input from two, in `out`, which has room for `max_size`: operations of the one and
// exceptions of the other, a thread of each, or the beginning of the one and the end of the other.
// Returns the size; 0 where that is too large, or nothing new.
size_t CrossOver(std::span<const uint8_t> one, std::span<const uint8_t> other, uint8_t* out,
                 size_t max_size, uint32_t seed);

}  // namespace jacquard::fuzzers

#endif  // JACQUARD_FUZZERS_MUTATOR_H_
