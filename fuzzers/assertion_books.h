// The validator of the assertions' scenario: the one that keeps books, and an ear for who asks it.
//
// Nobody may ask in the middle of a lock's own function: a temporary reader, who has counted itself
// in and has not looked yet whether it may stay, counts as holding the VMA, and so does a writer
// who still waits for the readers; neither may rely on anything yet (lock/vma_assertions.h). So it
// is a bug to assert something there (kInTheMiddle).
//
// Functions here have no hooks: they make no step.
#ifndef JACQUARD_FUZZERS_ASSERTION_BOOKS_H_
#define JACQUARD_FUZZERS_ASSERTION_BOOKS_H_

#include "fuzzers/scenario.h"
#include "lock/lockdep/validator.h"
#include "lock/validator.h"
#include "sim/runtime.h"

namespace jacquard::fuzzers {

struct AssertionBooks : lock::lockdep::Validator {
  static constexpr int kThreads = 3;
  static constexpr const char* kInTheMiddle = "assertion by who has not got the VMA yet";

  // Where a thread is.
  enum class Place {
    kOutside,
    kInside,  // of a function that takes a VMA for reading or writing
    kMiddle,  // in which it has counted itself in, or excludes readers
  };

  // A thread calls such a function; the destructor when it has returned.
  class Call {
   public:
    JACQUARD_UNHOOKED Call() { places[CurrentThread()] = Place::kInside; }
    JACQUARD_UNHOOKED ~Call() { places[CurrentThread()] = Place::kOutside; }
    Call(const Call&) = delete;
    Call& operator=(const Call&) = delete;
  };

  JACQUARD_UNHOOKED static void Acquire(Map& map, const lock::Acquisition& acquisition) {
    Move(Place::kInside, Place::kMiddle);
    lock::lockdep::Validator::Acquire(map, acquisition);
  }
  JACQUARD_UNHOOKED static void Release(Map& map) {
    Move(Place::kMiddle, Place::kInside);
    lock::lockdep::Validator::Release(map);
  }
  JACQUARD_UNHOOKED static lock::Held IsHeld(const Map& map) {
    CheckPlace();
    return lock::lockdep::Validator::IsHeld(map);
  }
  JACQUARD_UNHOOKED static lock::Held IsHeld(const Map& map, lock::AcquireMode mode) {
    CheckPlace();
    return lock::lockdep::Validator::IsHeld(map, mode);
  }

  inline static Place places[kThreads] = {};

 private:
  JACQUARD_UNHOOKED static void Move(Place from, Place to) {
    const int t = CurrentThread();
    if (t >= 0 && places[t] == from) places[t] = to;
  }
  JACQUARD_UNHOOKED static void CheckPlace() {
    const int t = CurrentThread();
    Check(t < 0 || places[t] != Place::kMiddle, kInTheMiddle);
  }
};

}  // namespace jacquard::fuzzers

#endif  // JACQUARD_FUZZERS_ASSERTION_BOOKS_H_
