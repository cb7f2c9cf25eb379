// Which file a seed comes from: a list that --seed-corpus writes beside the compiled seeds, so that
// a failing regression run can name a file that is still there afterwards.
#ifndef JACQUARD_FUZZERS_SEED_SOURCES_H_
#define JACQUARD_FUZZERS_SEED_SOURCES_H_

#include <cstdint>
#include <span>
#include <string>

namespace jacquard::fuzzers {

// A line of the list: the seed with these bytes comes from `path`.
std::string SeedSource(std::span<const uint8_t> bytes, const std::string& path);

// Where the seed with these bytes comes from, by the list in the file `list`; "" if it is not
// there.
std::string SourceOfSeed(const std::string& list, std::span<const uint8_t> bytes);

}  // namespace jacquard::fuzzers

#endif  // JACQUARD_FUZZERS_SEED_SOURCES_H_
