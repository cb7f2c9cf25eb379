// The mutator: what libFuzzer's general mutations do not know of the encoding.
#ifndef JACQUARD_FUZZERS_MUTATOR_H_
#define JACQUARD_FUZZERS_MUTATOR_H_

#include <cstddef>
#include <cstdint>

namespace jacquard::fuzzers {

// The engine's own mutation of `size` bytes with room for `max_size`; returns the new size.
using GeneralMutation = size_t (*)(uint8_t* data, size_t size, size_t max_size);

// Changes an encoded input in place. Half of the time records are inserted, deleted, repeated or
// moved as a whole, or a gap or choice is nudged; otherwise `general` mutates all but the version
// byte. The result always has the right version. Follows from the bytes and `seed` alone, as far as
// `general` does.
size_t Mutate(uint8_t* data, size_t size, size_t max_size, uint32_t seed, GeneralMutation general);

}  // namespace jacquard::fuzzers

#endif  // JACQUARD_FUZZERS_MUTATOR_H_
