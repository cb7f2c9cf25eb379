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

}  // namespace jacquard
