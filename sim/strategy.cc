#include "sim/strategy.h"

namespace jacquard {

int ThreadOfChoice(const Pick& pick, int choice) {
  if (choice == 0) return pick.first;
  return NthOf(pick.candidates & ~SetOfThread(pick.first), choice - 1);
}

}  // namespace jacquard
