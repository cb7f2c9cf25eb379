#include "sim/strategies.h"

#include <charconv>

#include "sim/depth_first.h"
#include "sim/pct.h"
#include "sim/portfolio.h"
#include "sim/random_walk.h"

namespace jacquard {
namespace {

std::unique_ptr<Strategy> MakeRandomWalk(uint64_t seed, int /*argument*/) {
  return std::make_unique<RandomWalk>(seed);
}

std::unique_ptr<Strategy> MakePct(uint64_t seed, int argument) {
  return std::make_unique<Pct>(seed, argument < 0 ? Pct::kDefaultDepth : argument);
}

std::unique_ptr<Strategy> MakePortfolio(uint64_t seed, int /*argument*/) {
  return std::make_unique<Portfolio>(seed);
}

std::unique_ptr<Strategy> MakeDepthFirst(uint64_t /*seed*/, int argument) {
  return std::make_unique<DepthFirst>(argument);
}

constexpr StrategyType kTypes[] = {
    {"portfolio", "the random walk and pct in turn; the default", MakePortfolio},
    {"random", "every choice by chance", MakeRandomWalk},
    {"pct", "random priorities that change at two points; pct:N: at N - 1 points", MakePct, true},
    {"dfs", "every execution once, depth first; dfs:N: with at most N preemptions", MakeDepthFirst,
     true},
};

}  // namespace

std::span<const StrategyType> StrategyTypes() { return kTypes; }

std::unique_ptr<Strategy> MakeStrategy(std::string_view name, uint64_t seed) {
  const size_t colon = name.find(':');
  int argument = -1;
  if (colon != std::string_view::npos) {
    const std::string_view number = name.substr(colon + 1);
    const char* const end = number.data() + number.size();
    const auto [rest, error] = std::from_chars(number.data(), end, argument);
    if (error != std::errc() || rest != end || argument < 0) return nullptr;
  }
  for (const StrategyType& type : kTypes) {
    if (type.name != name.substr(0, colon)) continue;
    if (colon != std::string_view::npos && !type.takes_argument) return nullptr;
    return type.make(seed, argument);
  }
  return nullptr;
}

}  // namespace jacquard
