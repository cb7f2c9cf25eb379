#include "sim/random_walk.h"

namespace jacquard {

bool RandomWalk::BeginExecution() {
  stream_.SeedExecution(seed_, execution_++);
  return true;
}

int RandomWalk::Choose(const Pick& pick) {
  return IsOfMemory(pick.kind) ? stream_.AnswerMemory(pick.alternatives)
                               : stream_.Answer(pick.alternatives);
}

int LazyWalk::NextThread(const Pick& pick) {
  constexpr int kBits = 53;  // of a double
  constexpr double kScale = 1.0 / (uint64_t{1} << kBits);
  if (!CouldGoOn(pick)) return ThreadOfChoice(pick, Below(pick.alternatives));
  const double random = static_cast<double>(stream_.Next() >> (64 - kBits)) * kScale;
  return random < probability_ ? ThreadOfChoice(pick, 1 + Below(pick.alternatives - 1))
                               : pick.thread;
}

}  // namespace jacquard
