#include "sim/portfolio.h"

#include "sim/pct.h"
#include "sim/random_walk.h"

namespace jacquard {

Portfolio::Portfolio(uint64_t seed) {
  members_.push_back(std::make_unique<RandomWalk>(seed));
  members_.push_back(std::make_unique<Pct>(seed));
  current_ = members_.size() - 1;  // the first one begins
}

Portfolio::~Portfolio() = default;

bool Portfolio::BeginExecution() {
  current_ = (current_ + 1) % members_.size();
  const bool goes_on = members_[current_]->BeginExecution();
  answers_ = members_[current_]->answers();
  return goes_on;
}

}  // namespace jacquard
