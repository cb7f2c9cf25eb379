// When executions are given up, for a while.
#ifndef JACQUARD_JACQUARD_DEADLINE_H_
#define JACQUARD_JACQUARD_DEADLINE_H_

#include <chrono>

#include "sim/execute.h"

namespace jacquard::call {

// While one of these lives, executions are given up at its deadline, and afterwards at the one
// before (SetDeadline). To be made and destroyed outside of executions.
class Deadline {
 public:
  // In so many seconds; 0: there is none.
  explicit Deadline(double seconds) { SetDeadline(seconds > 0 ? Now() + seconds : 0); }
  ~Deadline() { SetDeadline(before_); }
  Deadline(const Deadline&) = delete;
  Deadline& operator=(const Deadline&) = delete;

 private:
  static double Now() {
    const auto now = std::chrono::steady_clock::now().time_since_epoch();
    return std::chrono::duration<double>(now).count();
  }

  const double before_ = CurrentDeadline();
};

}  // namespace jacquard::call

#endif  // JACQUARD_JACQUARD_DEADLINE_H_
