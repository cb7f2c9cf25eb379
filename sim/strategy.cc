#include "sim/strategy.h"

#include <bit>

namespace jacquard {

int ThreadOfChoice(const Pick& pick, int choice) {
  if (choice == 0) return pick.first;
  ThreadSet others = pick.candidates & ~(ThreadSet{1} << pick.first);
  for (; choice > 1; --choice) others &= others - 1;
  return std::countr_zero(others);
}

}  // namespace jacquard
