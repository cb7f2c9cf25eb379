#include "sim/pctwm.h"

#include <algorithm>

namespace jacquard {

void Pctwm::Begin() {
  Pct::Begin();
  points_.clear();
  const int weak = Below(weak_ + 1);
  for (int i = 0; i < weak; ++i) points_.push_back(stream_.Next() % most_picks_);
  picks_ = 0;
}

void Pctwm::EndExecution(const Verdict& verdict) {
  Pct::EndExecution(verdict);
  most_picks_ = std::max(most_picks_, picks_);
}

int Pctwm::ChooseForMemory(const Pick& pick) {
  if (std::ranges::find(points_, picks_++) == points_.end()) return 0;
  return 1 + Below(pick.alternatives - 1);
}

}  // namespace jacquard
