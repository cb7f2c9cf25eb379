#include "fuzzers/sweep.h"

#include <algorithm>
#include <compare>
#include <numeric>
#include <span>
#include <tuple>

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

// Adds what stands at `more` to a list of the seed; `add` adds one exception to the new list. False
// if there is no room.
bool Merge(std::span<const Exception> list, std::vector<Placed> more, auto add) {
  uint64_t at = 0;
  for (const Exception& exception : list) {
    at += exception.gap;
    more.push_back({at, true, exception.choice});
    ++at;
  }
  std::ranges::sort(more);
  at = 0;
  for (const Placed& placed : more) {
    if (placed.at < at) continue;  // two at one place: the first one counts
    if (placed.at - at > kMaxGap ||
        !add(Exception{static_cast<uint32_t>(placed.at - at), placed.choice}))
      return false;
    at = placed.at + 1;
  }
  return true;
}

}  // namespace

// The seed with more exceptions. False if it has no room.
bool Sweep::Insert(const Input& seed, const std::vector<Place>& more, Input& out) {
  std::vector<Placed> of_memory;
  std::vector<Placed> others;
  for (const Place& place : more)
    (place.of_memory ? of_memory : others).push_back({place.at, false, place.choice});
  out = seed;
  out.ClearExceptions();
  return Merge(seed.exceptions(), others,
               [&](const Exception& exception) { return out.AddException(exception); }) &&
         Merge(seed.memory_exceptions(), of_memory,
               [&](const Exception& exception) { return out.AddMemoryException(exception); });
}

Sweep::Place Sweep::Seed::PlaceOf(uint64_t number, uint64_t places) const {
  if (number >= places * choices) return {true, number - places * choices, 0};
  return {false, number / choices, static_cast<uint32_t>(number % choices)};
}

void Sweep::AddSeed(const Input& seed, const ExecutionLength& length) {
  if (seeds_.size() == kMostSeeds || seed.threads() < 2 || length.steps == 0) return;
  seeds_.push_back(
      {.input = seed, .length = length, .choices = static_cast<uint64_t>(seed.threads() - 1)});
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
    const uint64_t number = Scattered(seed.done++, count);
    std::vector<Place> more = {seed.PlaceOf(number % seed.Firsts(), seed.length.picks)};
    if (exceptions_ == 2) {
      more.push_back(seed.PlaceOf(number / seed.Firsts(), seed.length.steps));
      // Of two orders of the same pair one is enough.
      const auto& [first, second] = std::tie(more[0], more[1]);
      if (first.of_memory > second.of_memory ||
          (first.of_memory == second.of_memory && first.at >= second.at))
        continue;
    }
    if (!Insert(seed.input, more, out)) continue;
    ++given_;
    return true;
  }
  return false;
}

}  // namespace jacquard::fuzzers
