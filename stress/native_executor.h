// The native executor: runs inputs on real threads, whose timing a seed perturbs.
//
// The threads of an input start together and do random short delays between operations. Schedule
// exceptions mean nothing here. What is checked: CheckAfterOperation on each thread after each of
// its operations; CheckInvariant and CheckFinal when all threads are done; whatever the sanitizer
// that the program is built with sees; and that the threads end at all.
#ifndef JACQUARD_STRESS_NATIVE_EXECUTOR_H_
#define JACQUARD_STRESS_NATIVE_EXECUTOR_H_

#include <cstdint>
#include <functional>
#include <string>

#include "fuzzers/codec.h"
#include "fuzzers/input.h"

namespace jacquard {

struct NativeOptions {
  bool delays = true;            // random ones between operations
  double deadlock_seconds = 10;  // threads that have not ended by then never will
  // Called once, on any thread, with a description (lines of text) and the signature; must end the
  // process. The other threads go on meanwhile.
  std::function<void(const std::string& report, const std::string& signature)> on_failure;
};

// Keeps its threads between executions (making them costs more than a typical input). Not
// thread-safe. Costs some ten microseconds per execution.
class NativeExecutor {
 public:
  // `codec` must outlive the executor. One per process at a time.
  NativeExecutor(const fuzzers::Codec& codec, NativeOptions options);
  ~NativeExecutor();
  NativeExecutor(const NativeExecutor&) = delete;
  NativeExecutor& operator=(const NativeExecutor&) = delete;

  // Returns when all threads are done and every check has passed.
  void Execute(const fuzzers::Input& input, uint64_t seed);

 private:
  struct State;
  State* const state_;
};

}  // namespace jacquard

#endif  // JACQUARD_STRESS_NATIVE_EXECUTOR_H_
