// A checker with as many threads as a test wants, none of which is real: their order is the test's.
#ifndef JACQUARD_TESTS_LOCK_LOCKDEP_BOOKS_H_
#define JACQUARD_TESTS_LOCK_LOCKDEP_BOOKS_H_

#include <deque>
#include <optional>
#include <string>

#include "lock/lockdep/checker.h"
#include "lock/lockdep/map.h"
#include "lock/validator.h"

namespace jacquard::lock::lockdep {

// Where the calls of a test seem to come from.
[[gnu::always_inline]] inline std::uintptr_t Here() {
  void* here;
  asm("lea (%%rip), %0" : "=r"(here));
  return reinterpret_cast<std::uintptr_t>(here);
}

class Books {
 public:
  static constexpr int kThreads = 4;

  Books() : checker_(Capture, Note) {
    reported.reset();
    for (int i = 0; i < kThreads; ++i) checker_.AddTask(tasks_.emplace_back(i));
  }

  void Acquire(int thread, const Map& map, const Acquisition& acquisition = {}) {
    checker_.Acquire(tasks_[thread], map, acquisition, Here());
  }
  void Release(int thread, const Map& map) { checker_.Release(tasks_[thread], map, Here()); }
  // Takes the locks one within the other, exclusively, and drops them again.
  void Nest(int thread, std::initializer_list<const Map*> maps) {
    for (const Map* map : maps) Acquire(thread, *map);
    for (auto map = std::rbegin(maps); map != std::rend(maps); ++map) Release(thread, **map);
  }
  Held IsHeld(int thread, const Map& map) { return checker_.IsHeld(tasks_[thread], map); }
  Held IsHeld(int thread, const Map& map, AcquireMode mode) {
    return checker_.IsHeld(tasks_[thread], map, mode);
  }
  Checker& checker() { return checker_; }
  Task& task(int thread) { return tasks_[thread]; }

  // What was said since these books were begun.
  static std::optional<Rule> Said() {
    return reported ? std::optional(reported->rule) : std::nullopt;
  }
  static std::string Text() { return reported ? reported->text : ""; }
  static std::string Signature() { return reported ? reported->signature : ""; }

 private:
  static void Capture(std::uintptr_t place, Stack& stack) { stack.frames[stack.count++] = place; }
  static void Note(const Report& report) { reported = report; }

  static inline std::optional<Report> reported;
  Checker checker_;
  std::deque<Task> tasks_;
};

}  // namespace jacquard::lock::lockdep

#endif  // JACQUARD_TESTS_LOCK_LOCKDEP_BOOKS_H_
