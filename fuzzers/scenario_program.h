// A scenario class and an input as a program for the simulated runtime.
#ifndef JACQUARD_FUZZERS_SCENARIO_PROGRAM_H_
#define JACQUARD_FUZZERS_SCENARIO_PROGRAM_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "fuzzers/features.h"
#include "fuzzers/input.h"
#include "fuzzers/scenario_type.h"
#include "fuzzers/state_seen.h"
#include "sim/program.h"

namespace jacquard::fuzzers {

// Runs the threads of an input side by side on a new scenario object. Allocates nothing itself
// while the threads run, so that a traced execution is the same as one without a trace.
class ScenarioProgram : public Program {
 public:
  // Features of these kinds are reported to `features` unless it is null. Both must outlive the
  // program.
  ScenarioProgram(const ScenarioType& type, Features* features, uint32_t kinds = kDefaultFeatures)
      : type_(type),
        after_step_(type.after_step != nullptr ? type.after_step : &NothingAfterStep),
        features_(features),
        kinds_(kinds) {
    constexpr uint32_t kOfObjects = kReadFeatures | kHandOffFeatures | kBlockedFeatures;
    if (features != nullptr && (kinds & kOfObjects) != 0)
      objects_ = std::make_unique<std::array<ObjectHistory, kObjects>>();
  }

  // What the next executions run; must outlive them.
  void SetInput(const Input& input) { input_ = &input; }

  // How many operations a thread has ended in the execution that is going on.
  int OperationsDone(int thread) const {
    return thread < kMaxInputThreads ? operations_done_[thread] : 0;
  }

  // How many pairs of a state and an operation all executions have shown, as far as their counters
  // tell them apart.
  uint64_t states_seen() const { return states_seen_; }
  // Which counters of such pairs have been seen: not 0.
  std::span<const uint8_t> state_slots() const { return state_seen_; }

  // From now on every change of state or operation is appended to `seen`, as long as its capacity
  // lasts. Null: no more.
  void RecordStates(std::vector<StateSeen>* seen) { recorded_ = seen; }

  int ThreadCount() const override { return input_->threads(); }
  void Begin() override;
  void RunThread(int thread) override;
  void OnStep(const Step& step) override;
  void End() override;
  std::string NameOf(const void* address) override;
  std::string TextOf(const void* address, uint64_t value) override;
  std::string HeldBy(int thread) override;
  std::string OperationName(int operation) override;

 private:
  // What a step shows of the scenario, as far as features are made of it.
  struct Seen {
    int thread = 0;
    int operation = -1;
    int state = -1;
    // Of the three together, as they are seldom different.
    bool operator==(const Seen& other) const {
      return ((thread ^ other.thread) | (operation ^ other.operation) | (state ^ other.state)) == 0;
    }
  };

  static int NothingAfterStep(void* /*scenario*/, const Step& /*step*/) { return 0; }

  // Objects whose addresses fall together push each other out.
  static constexpr size_t kObjects = 256;

  [[gnu::noinline]] void AddFeatures(Seen seen);
  [[gnu::noinline]] void AddAccess(const Step& step);

  const ScenarioType& type_;
  int (*const after_step_)(void*, const Step&);
  Features* const features_;
  const uint32_t kinds_;
  std::unique_ptr<std::array<ObjectHistory, kObjects>> objects_;  // null: nobody wants to know
  uint32_t execution_ = 0;
  const Input* input_ = nullptr;
  void* scenario_ = nullptr;
  std::array<int, kMaxInputThreads> operations_done_ = {};
  Seen last_;  // at the last step
  std::vector<StateSeen>* recorded_ = nullptr;
  std::array<uint8_t, Features::kStates> state_seen_ = {};
  uint64_t states_seen_ = 0;
};

}  // namespace jacquard::fuzzers

#endif  // JACQUARD_FUZZERS_SCENARIO_PROGRAM_H_
