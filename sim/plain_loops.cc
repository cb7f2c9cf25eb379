#include "sim/plain_loops.h"

#include <algorithm>

#include "sim/engine.h"

namespace jacquard::sim {
namespace {

constexpr int32_t kLongestPause = 1 << 30;
// Before a thread that spins is looked at again.
constexpr int32_t kLongPause = 1 << 23;

}  // namespace

PlainLoops plain_loops;

void PlainLoops::Pause(uint64_t step) {
  left_ = pause_;
  step_ = step;
}

void PlainLoops::LookLater(SimThread& thread) {
  if (thread.plain_look.steps_left == 0) return;
  thread.plain_look = {};
  Pause(kNever);
  left_ = kLongPause;
}

void PlainLoops::HasSpun() {
  PlainLook& look = engine.current->plain_look;
  if (look.steps_left == 0) return;
  look = {.steps_left = kLook, .has_spun = true};
  pause_ = kShortPause;
}

void PlainLoops::GoOn() {
  if (engine.current->plain_look.steps_left > 0) left_ = 1;
}

bool PlainLoops::BeginsStep() {
  PlainLook& look = engine.current->plain_look;
  if (look.steps_left == 0) {
    if (engine.step() != step_) {
      Pause(engine.step());
      return false;
    }
    look = {.steps_left = kLook};
    engine.PassTurn();
  }
  ++steps_;
  if (--look.steps_left == 0) {
    if (!look.has_spun) pause_ = std::min(pause_, kLongestPause) + kFirstPause;
    Pause(engine.step() + 1);
  }
  return true;
}

}  // namespace jacquard::sim
