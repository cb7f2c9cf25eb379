#include "fuzzers/sweep.h"

#include <algorithm>
#include <compare>
#include <numeric>

namespace jacquard::fuzzers {
namespace {

// An exception and the number of picks before it.
struct Placed {
  uint64_t at;
  bool of_seed;  // after a new one at the same place
  uint32_t choice;

  auto operator<=>(const Placed&) const = default;
};

// Another order of [0, count), in which neighbours are far apart: what is tried soon comes from
// everywhere.
uint64_t Scattered(uint64_t index, uint64_t count) {
  if (count < 3) return index;
  uint64_t stride = count / 2 + count / 8 + 1;  // near the golden section
  while (std::gcd(stride, count) != 1) ++stride;
  return static_cast<uint64_t>(static_cast<unsigned __int128>(index) * stride % count);
}

// The seed with more exceptions. False if it has no room.
bool Insert(const Input& seed, std::vector<Placed>& more, Input& out) {
  uint64_t at = 0;
  for (const Exception& exception : seed.exceptions()) {
    at += exception.gap;
    more.push_back({at, true, exception.choice});
    ++at;
  }
  std::ranges::sort(more);
  out = seed;
  out.ClearExceptions();
  for (const Exception& exception : seed.memory_exceptions()) out.AddMemoryException(exception);
  at = 0;
  for (const Placed& placed : more) {
    if (placed.at < at) continue;  // two at one place: the first one counts
    if (placed.at - at > kMaxGap ||
        !out.AddException({static_cast<uint32_t>(placed.at - at), placed.choice}))
      return false;
    at = placed.at + 1;
  }
  return true;
}

}  // namespace

void Sweep::AddSeed(const Input& seed, uint64_t steps) {
  if (seeds_.size() == kMostSeeds || seed.threads() < 2 || steps == 0) return;
  seeds_.push_back(
      {.input = seed, .places = steps, .choices = static_cast<uint64_t>(seed.threads() - 1)});
}

bool Sweep::Next(Input& out) {
  while (exceptions_ <= 2 && given_ < kMost) {
    if (exhausted_ == seeds_.size()) {
      ++exceptions_;
      exhausted_ = 0;
      for (Seed& seed : seeds_) seed.done = 0;
      if (seeds_.empty()) return false;
      continue;
    }
    Seed& seed = seeds_[turn_];
    turn_ = (turn_ + 1) % seeds_.size();
    const uint64_t count = seed.Count(exceptions_);
    if (seed.done == count) {
      ++exhausted_;
      continue;
    }
    exhausted_ = 0;
    uint64_t number = Scattered(seed.done++, count);
    std::vector<Placed> more;
    uint64_t at = 0;
    bool in_order = true;
    for (int i = 0; i < exceptions_; ++i) {
      const uint64_t single = number % (seed.places * seed.choices);
      number /= seed.places * seed.choices;
      in_order = in_order && (i == 0 || single / seed.choices > at);
      at = single / seed.choices;
      more.push_back({at, false, static_cast<uint32_t>(single % seed.choices)});
    }
    // Of two orders of the same pair one is enough.
    if (!in_order || !Insert(seed.input, more, out)) continue;
    ++given_;
    return true;
  }
  return false;
}

}  // namespace jacquard::fuzzers
