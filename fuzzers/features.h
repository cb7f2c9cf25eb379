// What the engine learns beside code coverage: the states that the locks reach and in which
// operations, who follows whom, who reads what from whom, and who sleeps because of whom.
//
// libFuzzer treats each byte of the section __libfuzzer_extra_counters as a counter of an edge. It
// clears and scans all of them for every input, so there are few.
#ifndef JACQUARD_FUZZERS_FEATURES_H_
#define JACQUARD_FUZZERS_FEATURES_H_

#include <cstdint>

#include "sim/step.h"

namespace jacquard::fuzzers {

// The kinds of features, as a set.
enum FeatureKind : uint32_t {
  kStateFeatures = 1,     // state of the locks x operation
  kSwitchFeatures = 2,    // operation x operation of another thread whose step follows
  kReadFeatures = 4,      // write x read by another thread that reads from it
  kHandOffFeatures = 8,   // object x operation x operation of another thread that comes next to it
  kBlockedFeatures = 16,  // operation that goes to sleep x operation that wrote what it saw
};
inline constexpr uint32_t kAllFeatures = 31;
// docs/guidance.md says why these.
inline constexpr uint32_t kDefaultFeatures = kStateFeatures | kSwitchFeatures;

// What one execution has had of an object, as far as features are made of it.
struct ObjectHistory {
  const void* address = nullptr;
  uint32_t execution = 0;  // whatever else is here belongs to that one
  int writer = -1;         // thread; -1: nobody yet
  uint32_t write = 0;      // a hash of the site
  int writer_operation = -1;
  int user = -1;
  int user_operation = -1;
};

struct Features {
  // A byte each; together at most 4 KiB.
  static constexpr uint32_t kStates = 1024;
  static constexpr uint32_t kSwitches = 512;
  static constexpr uint32_t kReads = 1024;
  static constexpr uint32_t kHandOffs = 512;
  static constexpr uint32_t kBlocked = 256;

  uint8_t states[kStates];
  uint8_t switches[kSwitches];
  uint8_t reads[kReads];
  uint8_t hand_offs[kHandOffs];
  uint8_t blocked[kBlocked];
  uint8_t executed[8];  // only the first is used

  // An input is executed, whatever it does: libFuzzer takes a target for broken where the first
  // inputs, which are empty, have no feature at all.
  void AddExecution() { executed[0] = 1; }

  // The locks are in `state`, after a step in `operation` (-1: outside of any). Pairs only: a state
  // by itself is the pair with whatever led there first, and libFuzzer pays for each counter that
  // an input sets. Returns the counter's number.
  uint32_t AddState(int state, int operation) {
    return Set(states, kStates,
               Mix(static_cast<uint32_t>(state)) + static_cast<uint32_t>(operation));
  }

  // A step in operation `before` on one thread is followed by one in `after` on another.
  void AddSwitch(int before, int after) { Set(switches, kSwitches, Pair(before, after)); }

  // `step` has accessed the object with that history, which is of this execution.
  void AddAccess(const Step& step, uint32_t kinds, ObjectHistory& object) {
    // A site is told by what is done to which object in which operation: steps do not know where in
    // the code they are.
    const auto object_number = static_cast<uint32_t>(reinterpret_cast<uintptr_t>(step.address));
    const uint32_t site = Mix(Mix(object_number) + static_cast<uint32_t>(step.kind) * 8 +
                              static_cast<uint32_t>(step.order)) +
                          static_cast<uint32_t>(step.operation);
    const bool reads_it = step.kind == StepKind::kLoad || step.kind == StepKind::kReadModifyWrite;
    if ((kinds & kReadFeatures) != 0 && reads_it && object.writer >= 0 &&
        (object.writer != step.thread || !step.newest))
      Set(reads, kReads, Mix(step.newest ? object.write : 0) + site);
    if ((kinds & kHandOffFeatures) != 0 && object.user >= 0 && object.user != step.thread) {
      Set(hand_offs, kHandOffs, Mix(object_number) + Pair(object.user_operation, step.operation));
    }
    if ((kinds & kBlockedFeatures) != 0 && step.new_value == 0 &&
        (step.kind == StepKind::kFutexWait || step.kind == StepKind::kConditionWait))
      Set(blocked, kBlocked, Pair(object.writer_operation, step.operation));
    object.user = step.thread;
    object.user_operation = step.operation;
    if (!Writes(step.kind) || !step.newest) return;
    object.writer = step.thread;
    object.write = site;
    object.writer_operation = step.operation;
  }

 private:
  static uint32_t Mix(uint32_t x) {
    x *= 0x9e3779b1u;
    return x ^ (x >> 15);
  }
  static uint32_t Pair(int one, int other) {
    return static_cast<uint32_t>(one + 1) * 257 + static_cast<uint32_t>(other + 1);
  }
  static uint32_t Set(uint8_t* counters, uint32_t count, uint32_t hash) {
    const uint32_t number = Mix(hash) % count;
    counters[number] = 1;
    return number;
  }
};

static_assert(sizeof(Features) <= 4096 && sizeof(Features) % 8 == 0);

// The ones that libFuzzer sees.
extern Features features;

}  // namespace jacquard::fuzzers

#endif  // JACQUARD_FUZZERS_FEATURES_H_
