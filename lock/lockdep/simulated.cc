// The validator in a simulated execution: its books begin anew with each one, and what it finds is
// the execution's verdict.
//
// It is no part of what is simulated: not instrumented, linked beforehand into an object of its own
// (BUILD), where its mutex and its memory are none of the program's. Only the thread that executes
// ever is in it.
#include <algorithm>
#include <string>
#include <vector>

#include "lock/lockdep/this_thread.h"
#include "sim/bookkeeper.h"
#include "sim/runtime.h"

namespace jacquard::lock::lockdep {
namespace {

void Capture(std::uintptr_t place, Stack& stack) {
  stack.frames[0] = place;
  // Where the function that made the call was called, and so on.
  stack.count = 1 + RunningCalls(stack.frames + 1, Stack::kMost - 1);
}

void EndExecution(const Report& report) {
  if (CurrentThread() < 0) return PrintReport(report);
  static std::string& rule = *new std::string;  // kept: this stack is given up
  rule = "lockdep: " + report.signature;
  Fail(rule, report.text);
}

// By the threads' numbers; none is ever removed.
std::vector<Task*>& Tasks() {
  static std::vector<Task*>& tasks = *new std::vector<Task*>;
  return tasks;
}

constexpr Bookkeeper kBookkeeper = {
    .begin_execution = [] { TheChecker().Reset(); },
    .end_thread =
        [] {
          if (Task* const task = CurrentTask()) TheChecker().CheckNothingHeld(*task, 0);
        },
};

[[maybe_unused]] const bool kIsSet = [] {
  TheChecker();
  Tasks();
  SetBookkeeper(&kBookkeeper);
  return true;
}();

}  // namespace

Checker& TheChecker() {
  static Checker& checker = *new Checker(Capture, EndExecution);
  return checker;
}

// What the libraries for it do, as to lock their own tables, is no step of the program.
std::vector<SourceFrame> LookUp(std::uintptr_t place) {
  const Ghost ghost;
  return Symbolize(place);
}

Task* CurrentTask() {
  const int thread = CurrentThread();
  if (thread < 0) return nullptr;
  std::vector<Task*>& tasks = Tasks();
  while (static_cast<std::size_t>(thread) >= tasks.size()) [[unlikely]] {
    tasks.push_back(new Task(static_cast<int>(tasks.size())));
    TheChecker().AddTask(*tasks.back());
  }
  return tasks[thread];
}

}  // namespace jacquard::lock::lockdep
