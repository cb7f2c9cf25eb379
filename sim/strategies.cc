#include "sim/strategies.h"

#include <charconv>
#include <cmath>
#include <limits>
#include <vector>

#include "sim/depth_first.h"
#include "sim/pct.h"
#include "sim/pctwm.h"
#include "sim/portfolio.h"
#include "sim/pos.h"
#include "sim/random_walk.h"
#include "sim/rff.h"
#include "sim/sleep_sets.h"
#include "sim/surw.h"
#include "sim/turns.h"

namespace jacquard {
namespace {

using Parameters = std::span<const double>;
using Made = std::unique_ptr<Strategy>;

// Whether there are at most so many, all of them whole numbers, the first one at least `least`.
bool AreWhole(Parameters parameters, size_t most, double least = 0) {
  if (parameters.size() > most) return false;
  for (const double parameter : parameters) {
    if (parameter != std::floor(parameter) || parameter > std::numeric_limits<int>::max())
      return false;
  }
  return parameters.empty() || parameters[0] >= least;
}

int Whole(Parameters parameters, size_t i, int otherwise) {
  return i < parameters.size() ? static_cast<int>(parameters[i]) : otherwise;
}

template <class Type>
Made MakePlain(uint64_t seed, Parameters parameters) {
  return parameters.empty() ? std::make_unique<Type>(seed) : nullptr;
}

Made MakeRandomWalk(uint64_t seed, Parameters parameters) {
  if (parameters.empty()) return std::make_unique<RandomWalk>(seed);
  if (parameters.size() > 1 || parameters[0] > 1) return nullptr;
  return std::make_unique<LazyWalk>(seed, parameters[0]);
}

Made MakePct(uint64_t seed, Parameters parameters) {
  if (!AreWhole(parameters, 1, 1)) return nullptr;
  return std::make_unique<Pct>(seed, Whole(parameters, 0, Pct::kDefaultDepth));
}

Made MakePctwm(uint64_t seed, Parameters parameters) {
  if (!AreWhole(parameters, 2, 1)) return nullptr;
  return std::make_unique<Pctwm>(seed, Whole(parameters, 0, Pct::kDefaultDepth),
                                 Whole(parameters, 1, Pctwm::kDefaultWeak));
}

Made MakeDepthFirst(uint64_t /*seed*/, Parameters parameters) {
  if (!AreWhole(parameters, 2)) return nullptr;
  return std::make_unique<DepthFirst>(Whole(parameters, 0, DepthFirst::kUnbounded),
                                      Whole(parameters, 1, DepthFirst::kUnbounded));
}

Made MakeDelayBounded(uint64_t /*seed*/, Parameters parameters) {
  constexpr int kDelays = 2;
  if (!AreWhole(parameters, 2)) return nullptr;
  return std::make_unique<DepthFirst>(
      DepthFirst::Bounds{.delays = Whole(parameters, 0, kDelays),
                         .memory = Whole(parameters, 1, DepthFirst::kUnbounded)});
}

Made MakeSleepSets(uint64_t /*seed*/, Parameters parameters) {
  return parameters.empty() ? std::make_unique<SleepSets>() : nullptr;
}

constexpr StrategyType kTypes[] = {
    {"portfolio", "", "several of those below share the executions; the default",
     MakePlain<Portfolio>},
    {"random", "[:P]", "every choice by chance; P: a thread is interrupted with this probability",
     MakeRandomWalk},
    {"pct", "[:D]", "random priorities that change at D - 1 points (D: 3)", MakePct},
    {"pctwm", "[:D[:W]]", "pct, with at most W choices of the memory model not benign (W: 2)",
     MakePctwm},
    {"pos", "", "each operation has a random priority; samples partial orders", MakePlain<Pos>},
    {"urw", "", "all interleavings equally likely, by the steps that threads have left",
     MakePlain<Urw>},
    {"surw", "", "the same for the steps on a few shared objects", MakePlain<Surw>},
    {"turns", "", "some of the threads in turn, a few steps each", MakePlain<Turns>},
    {"rff", "", "who is to read what whom has written, by place in the code", MakePlain<Rff>},
    {"dfs", "[:P[:W]]",
     "every execution once, depth first; with at most P preemptions and W weak choices",
     MakeDepthFirst},
    {"delays", "[:N[:W]]", "depth first, threads in turn, N times one is passed over (N: 2)",
     MakeDelayBounded},
    {"sleep", "", "depth first with sleep sets: one execution for each partial order",
     MakeSleepSets},
};

// The numbers behind the colons; false if there is anything else.
bool ParseParameters(std::string_view text, std::vector<double>& parameters) {
  while (!text.empty()) {
    text.remove_prefix(1);
    const std::string_view number = text.substr(0, text.find(':'));
    double parameter = -1;
    const char* const end = number.data() + number.size();
    const auto [rest, error] =
        std::from_chars(number.data(), end, parameter, std::chars_format::fixed);
    if (error != std::errc() || rest != end || !(parameter >= 0)) return false;
    parameters.push_back(parameter);
    text.remove_prefix(number.size());
  }
  return true;
}

}  // namespace

std::span<const StrategyType> StrategyTypes() { return kTypes; }

std::unique_ptr<Strategy> MakeStrategy(std::string_view name, uint64_t seed) {
  const std::string_view plain = name.substr(0, name.find(':'));
  std::vector<double> parameters;
  if (!ParseParameters(name.substr(plain.size()), parameters)) return nullptr;
  for (const StrategyType& type : kTypes) {
    if (type.name == plain) return type.make(seed, parameters);
  }
  return nullptr;
}

}  // namespace jacquard
