// Whether anything still happens but that time passes: the first thread has waited for others all
// along, and those do nothing but wait until a time is over, again and again, as a worker does that
// looks once in a second whether there is work. For whoever waits that is a deadlock, or a wake-up
// that was lost, though there is always somebody who can run.
//
// So it is taken to be when that has gone on for so many waits, and for so long, that no program
// does it on purpose. Only counted are waits that are over when nobody can run, and only while
// every thread gets its turn. Virtual time is no measure of how long it has been, since it jumps to
// whoever's turn it is: each of those who wait for time must have done so for that long itself.
//
// Where the first thread polls, or somebody for whose end it waits, nothing can be said: it may go
// on by itself. Then those who sleep in the meantime are suspected to have lost a wake-up, and are
// woken to see whether they get on (suspicions.h).
#ifndef JACQUARD_SIM_STAGNATION_H_
#define JACQUARD_SIM_STAGNATION_H_

#include <algorithm>
#include <cstdint>
#include <iterator>

#include "sim/thread_set.h"

namespace jacquard::sim {

class Stagnation {
 public:
  void BeginExecution() {
    if (!is_used_) return;
    is_used_ = false;
    Forget();
    time_outs_ = 0;
    left_of_suspicion_ = 0;
    stretches_ = 0;
    last_for_others_ = kLongAgo;
    next_suspicion_ = 0;
    std::fill(std::begin(waits_), std::end(waits_), Wait{});
  }

  // Whether it is to be found out who could have ended the wait of this thread that is over: that
  // takes long.
  bool IsToBeLookedInto(int thread) const {
    return !Has(timed_out_, thread) || time_outs_ % kTimeOutsBetweenLooks == 0;
  }
  // Nobody could run until a wait of this thread was over, which it had begun so many nanoseconds
  // before its end. `for_others`: somebody outside of the program might have ended it.
  void OnTimeOut(int thread, uint64_t length, bool for_others) {
    is_used_ = true;
    ++time_outs_;
    if (for_others) last_for_others_ = stretches_;
    if (left_of_suspicion_ != 0) --left_of_suspicion_;
    if (!Has(timed_out_, thread)) {
      Insert(timed_out_, thread);
      if (!Has(last_timed_out_, thread)) waited_[thread] = 0;
    }
    waited_[thread] += length;
  }

  // A stretch has so many of them, and is looked at when it is over.
  bool stretch_is_over() const { return time_outs_ >= kTimeOuts; }

  // At the end of a stretch, for each thread: what it waits for others with, as a number that no
  // other wait has; 0: it does not. In how many whole stretches it has done so.
  int NoteWait(int thread, uint64_t ticket) {
    Wait& wait = waits_[thread];
    wait.stretches = ticket != 0 && wait.ticket == ticket ? wait.stretches + 1 : 0;
    wait.ticket = ticket;
    return wait.stretches;
  }
  // After so many a thread is taken to wait for ever, and suspected to do so.
  static constexpr int kStretchesForEver = 16;
  static constexpr int kStretchesSuspect = 2;

  // Behind that, at step `step`. Whether the first thread has waited in all of this stretch, and
  // all who have waited for time have done so for long enough since that began.
  bool EndStretch(uint64_t step) {
    const bool for_others = stretches_ - last_for_others_ < kStretchesForEver / 2;
    bool long_enough = waits_[0].stretches > 0 && !for_others;
    for (const int thread : MembersOf(timed_out_)) long_enough &= waited_[thread] >= kTime;
    last_timed_out_ = timed_out_;
    timed_out_ = 0;
    time_outs_ = 0;
    ++stretches_;
    if (waits_[0].stretches == 0) {
      Forget();
      begun_ = step;
    }
    return long_enough;
  }

  // The step since which the first thread has been seen to wait.
  uint64_t begun() const { return begun_; }

  // Those who sleep for so long are woken, and what comes soon is to show whether a wake-up was
  // lost: what comes later may have come in any case. Seldom, as whoever is woken begins to wait
  // anew, and is not seen to wait for ever for that long.
  bool may_suspect() const { return stretches_ >= next_suspicion_; }
  void BeginSuspicion() {
    left_of_suspicion_ = kTimeOutsOfSuspicion;
    next_suspicion_ = 8 * stretches_;
  }
  bool suspects() const { return left_of_suspicion_ != 0; }

 private:
  static constexpr uint64_t kTimeOuts = 1 << 12;
  static constexpr uint64_t kTimeOutsBetweenLooks = 31;  // a prime number: waits may take turns
  static constexpr int kTimeOutsOfSuspicion = kTimeOuts;
  static constexpr int kLongAgo = -kStretchesForEver;
  static constexpr uint64_t kTime = uint64_t{3600} * 1'000'000'000;

  struct Wait {
    uint64_t ticket = 0;
    int stretches = 0;
  };

  void Forget() { timed_out_ = last_timed_out_ = 0; }

  bool is_used_ = false;  // in this execution
  uint64_t begun_ = 0;
  uint64_t time_outs_ = 0;
  int left_of_suspicion_ = 0;          // time-outs
  int stretches_ = 0;                  // that have ended in this execution
  int last_for_others_ = kLongAgo;     // when somebody has waited for who is outside
  int next_suspicion_ = 0;             // not before so many of them
  ThreadSet timed_out_ = 0;            // who has waited for time in this stretch
  ThreadSet last_timed_out_ = 0;       // and in the one before
  uint64_t waited_[kMaxThreads] = {};  // by those, in all stretches one after another
  Wait waits_[kMaxThreads] = {};
};

}  // namespace jacquard::sim

#endif  // JACQUARD_SIM_STAGNATION_H_
