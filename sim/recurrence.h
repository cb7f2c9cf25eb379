// Whether threads get anywhere: an execution that takes very long is a livelock if its threads only
// come back to states in which they have been before, and merely long if one of them counts.
//
// A thread's state is what its code goes on from: the registers that a called function preserves,
// its stack, and what it has read and written since it was last looked at. That is looked at where
// the fewest functions are going on (as by the spin detector, whose saved registers are used):
// deeper ones follow from there. The watched part of an execution has two halves. What threads are
// in during the first one is learnt; whatever is different in the second one is news, and so is a
// step of which the registers are not known. No news for so long means that nobody counts, and that
// the same can go on for ever.
//
// What it costs is only paid while it watches: about a microsecond a step.
#ifndef JACQUARD_SIM_RECURRENCE_H_
#define JACQUARD_SIM_RECURRENCE_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "sim/step.h"
#include "sim/thread_set.h"

namespace jacquard::sim {

class Recurrence {
 public:
  // Learns from this step on.
  void Begin(uint64_t step);
  // Has learnt enough: what is new from now on is news.
  void BeginLooking() { phase_ = Phase::kLooks; }
  void End();

  bool watches() const { return phase_ != Phase::kOff; }
  bool looks() const { return phase_ == Phase::kLooks; }
  bool has_news() const { return has_news_; }
  // The step when it began.
  uint64_t begun() const { return begun_; }

  // The running thread, whose stack this is, has taken a step, which `pc` calls. `others` is what
  // it depends on besides: how long others still sleep (and what time it is, if there are timers),
  // random numbers.
  struct Stack {
    uintptr_t bottom;
    uintptr_t top;
  };
  void OnStep(const Step& step, uintptr_t pc, const Stack& stack, uint64_t others);
  // It is about to read or write memory, no step.
  void OnPlainAccess(int thread, const void* address, size_t size);

 private:
  enum class Phase : uint8_t { kOff, kLearns, kLooks };
  struct Local {
    uint64_t folded = 0;      // of what it has read and written since it was last looked at
    uintptr_t outermost = 0;  // the stack pointer where the fewest functions are going on
    uint32_t since = 0;       // it was there, in steps
    uint32_t longest = 0;     // that, so far
  };

  void Note(bool is_new) { has_news_ |= is_new && looks(); }
  // Whether it was not there before.
  bool Insert(uint64_t state);
  void Grow();

  Phase phase_ = Phase::kOff;
  bool has_news_ = false;
  uint64_t begun_ = 0;
  size_t count_ = 0;
  std::vector<uint64_t> states_;  // hashes, by open addressing; 0: free
  Local locals_[kMaxThreads];
};

}  // namespace jacquard::sim

#endif  // JACQUARD_SIM_RECURRENCE_H_
