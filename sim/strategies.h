// All strategies that search by themselves, by name: one line each.
#ifndef JACQUARD_SIM_STRATEGIES_H_
#define JACQUARD_SIM_STRATEGIES_H_

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "sim/strategy.h"

namespace jacquard {

struct StrategyType {
  std::string_view name;
  std::string_view parameters;   // as in "[:DEPTH]"; "" if it takes none
  std::string_view description;  // one line
  // `parameters` are the numbers behind the name, as in "dfs:2". Null: they are not what it takes.
  std::unique_ptr<Strategy> (*make)(uint64_t seed, std::span<const double> parameters);
};

std::span<const StrategyType> StrategyTypes();

// The strategy of that name, "NAME" or "NAME:NUMBER..."; null if there is none.
std::unique_ptr<Strategy> MakeStrategy(std::string_view name, uint64_t seed);

}  // namespace jacquard

#endif  // JACQUARD_SIM_STRATEGIES_H_
