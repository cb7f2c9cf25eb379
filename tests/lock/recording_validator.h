// A validator for tests: writes down what the locks tell it, and knows what each thread holds.
#ifndef JACQUARD_TESTS_LOCK_RECORDING_VALIDATOR_H_
#define JACQUARD_TESTS_LOCK_RECORDING_VALIDATOR_H_

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "lock/check.h"
#include "lock/validator.h"

namespace jacquard::lock {

struct RecordingValidator {
  struct Map {
    explicit Map(const char* name) : class_name(name) {}
    const char* class_name;
  };
  struct Entry {
    const Map* map;
    AcquireMode mode;
  };

  static void Acquire(Map& map, const Acquisition& acquisition) {
    held.push_back({&map, acquisition.mode});
    log.push_back(std::string("+") + map.class_name +
                  (acquisition.mode == AcquireMode::kExclusive ? " exclusive" : " shared") +
                  (acquisition.try_lock ? " try" : ""));
  }
  static void Downgrade(Map& map) {
    const auto entry = Find(map);
    JACQUARD_LOCK_CHECK(entry->mode == AcquireMode::kExclusive, "downgraded what is held shared");
    entry->mode = AcquireMode::kShared;
    log.push_back(std::string("=") + map.class_name + " shared");
  }
  static void Release(Map& map) {
    held.erase(std::next(Find(map)).base());
    log.push_back(std::string("-") + map.class_name);
  }
  static Held IsHeld(const Map& map) {
    if (off) return Held::kUnknown;
    return std::any_of(held.begin(), held.end(), [&](const Entry& e) { return e.map == &map; })
               ? Held::kYes
               : Held::kNo;
  }
  static Held IsHeld(const Map& map, AcquireMode mode) {
    if (off) return Held::kUnknown;
    return std::any_of(held.begin(), held.end(),
                       [&](const Entry& e) { return e.map == &map && e.mode == mode; })
               ? Held::kYes
               : Held::kNo;
  }

  // Of the calling thread, since it was last taken.
  static std::vector<std::string> TakeLog() { return std::exchange(log, {}); }

  // The newest entry of the lock.
  static std::vector<Entry>::reverse_iterator Find(const Map& map) {
    const auto entry =
        std::find_if(held.rbegin(), held.rend(), [&](const Entry& e) { return e.map == &map; });
    JACQUARD_LOCK_CHECK(entry != held.rend(), "told of what is not held");
    return entry;
  }

  inline static thread_local std::vector<Entry> held;
  inline static thread_local std::vector<std::string> log;
  inline static bool off = false;  // as after a first report
};

static_assert(LockValidator<RecordingValidator>);

}  // namespace jacquard::lock

#endif  // JACQUARD_TESTS_LOCK_RECORDING_VALIDATOR_H_
