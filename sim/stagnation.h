// Whether anything still happens but that time passes: some threads have waited for others all
// along, and those do nothing but wait until a time is over, again and again, as a worker does that
// looks once in a second whether there is work. For whoever waits that is a deadlock, or a wake-up
// that was lost, though there is always somebody who can run.
//
// So it is taken to be when that has gone on for so many waits, and for so long in virtual time,
// that no program does it on purpose. Only counted are waits that are over when nobody can run, and
// only while every thread gets its turn.
#ifndef JACQUARD_SIM_STAGNATION_H_
#define JACQUARD_SIM_STAGNATION_H_

#include <cstdint>

#include "sim/thread.h"

namespace jacquard::sim {

class Stagnation {
 public:
  void BeginExecution() {
    BeginStretch(0);
    known_ = false;
  }

  // Nobody could run, and so many nanoseconds have passed until a wait was over.
  void OnTimeOut(uint64_t passed) {
    ++time_outs_;
    passed_ += passed;
  }

  // Whether a stretch is long enough to be looked at.
  bool is_due() const { return time_outs_ >= kTimeOuts && passed_ >= kTime; }

  // For each thread that waits for others, at the end of a stretch: whether it has waited since the
  // one before.
  bool HasWaited(const SimThread& thread) {
    const bool same = known_ && tickets_[thread.id] == thread.wait_ticket;
    tickets_[thread.id] = thread.wait_ticket;
    return same;
  }
  // Another stretch begins with the step after this one.
  void BeginStretch(uint64_t step) {
    known_ = true;
    begun_ = step;
    time_outs_ = passed_ = 0;
  }

  // The step when this stretch began, and the waits that have been over since.
  uint64_t begun() const { return begun_; }
  uint64_t time_outs() const { return time_outs_; }

 private:
  static constexpr uint64_t kTimeOuts = 1 << 15;
  static constexpr uint64_t kTime = uint64_t{1800} * 1'000'000'000;

  bool known_ = false;  // tickets of the stretch before
  uint64_t begun_ = 0;
  uint64_t time_outs_ = 0;
  uint64_t passed_ = 0;
  uint64_t tickets_[kMaxThreads] = {};  // of the waits that they were in
};

}  // namespace jacquard::sim

#endif  // JACQUARD_SIM_STAGNATION_H_
