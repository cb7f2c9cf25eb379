// Loops that make no step: threads that wait for a plain, or `volatile`, variable.
//
// Plain accesses are no decision points, so nobody else would ever run while such a loop goes
// round, and what it waits for would never be written. A thread that has read very often without a
// step is therefore looked at: its next plain reads are steps, as all plain accesses are where
// races are ignored. Then others run, the write that it waits for shows the race, and the spin
// detector finds the loop, so that it costs nothing more. A look that has not found one is followed
// by a longer pause: programs that compute for long are hardly disturbed.
//
// All of this goes by counts of what the program does, so it is the same in each replay.
#ifndef JACQUARD_SIM_PLAIN_LOOPS_H_
#define JACQUARD_SIM_PLAIN_LOOPS_H_

#include <cstdint>

namespace jacquard::sim {

struct SimThread;

// One look at a thread.
struct PlainLook {
  int steps_left = 0;     // 0: it is not looked at
  bool has_spun = false;  // since it is
};

// Counts the plain reads of simulated threads. Not those of data of libraries without hooks: caches
// there are filled in the first execution. Without a memory model, and as long as there is only one
// thread, neither those of the heap and of the thread's own stack: their hooks take the shortest
// way.
class PlainLoops {
 public:
  // So many reads, and up to twice as many, without a step are enough to look at a thread: a
  // millisecond or two. Grows by as much with each look that has not found anything, and shrinks to
  // kShortPause with one that has: that is how the program waits.
  static constexpr int32_t kFirstPause = 1 << 18;
  static constexpr int32_t kShortPause = 1 << 12;
  // So many of its reads are then steps, more than the spin detector needs for a loop with a few
  // reads. Begins again where the thread has spun.
  static constexpr int kLook = 256;

  // An execution begins.
  void Begin() {
    pause_ = kFirstPause;
    Pause(kNever);
  }

  // Whether a read need only be counted. Else BeginsStep() is to be asked before it is.
  bool OnlyCounts() const { return left_ > 1; }
  // Of a read by the running thread, which is simulated. May leave less than 0.
  void Count() { --left_; }
  // Changes with each such read, but may come back to what it was with the next step.
  int32_t count() const { return left_; }
  // The running thread, which is simulated, is about to read. Whether that is to be a step, with
  // GoOn() when others may have run.
  bool BeginsStep();
  void GoOn();

  // For the watchdog, which looks from another thread: so many steps there have been that show no
  // progress.
  uint64_t steps() const { return __atomic_load_n(&steps_, __ATOMIC_RELAXED); }

  // The running thread, looked at or not, has been found to spin, and goes on.
  void HasSpun();
  // The thread spins. If it is looked at, that is over, and the next look at anybody is far away.
  void LookLater(SimThread& thread);

 private:
  static constexpr uint64_t kNever = UINT64_MAX;

  // One that begins at this step.
  void Pause(uint64_t step);

  int32_t left_ = kFirstPause;   // reads until somebody is looked at
  int32_t pause_ = kFirstPause;  // between two of them
  uint64_t step_ = kNever;       // when the pause began
  uint64_t steps_ = 0;
};

// Hidden: reached without a look into a table.
[[gnu::visibility("hidden")]] extern PlainLoops plain_loops;

}  // namespace jacquard::sim

#endif  // JACQUARD_SIM_PLAIN_LOOPS_H_
