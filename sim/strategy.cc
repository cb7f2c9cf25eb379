#include "sim/strategy.h"

namespace jacquard {

int ThreadOfChoice(const Pick& pick, int choice) {
  if (choice == 0) return pick.first;
  if (IsLow(pick.candidates))
    return NthOf(LowOf(pick.candidates) & ~(uint64_t{1} << pick.first), choice - 1);
  return NthOf(pick.candidates & ~SetOfThread(pick.first), choice - 1);
}

int ChoiceOfThread(const Pick& pick, int thread) {
  if (thread == pick.first) return 0;
  const ThreadSet smaller = pick.candidates & (SetOfThread(thread) - 1);
  return 1 + CountOf(smaller & ~SetOfThread(pick.first));
}

}  // namespace jacquard
