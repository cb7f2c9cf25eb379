// A scenario class with its type erased: all that the harness knows of it.
//
// The harness is compiled once, without instrumentation, and the class with it; they share nothing
// but this plain data. fuzzers/scenario.h makes it.
#ifndef JACQUARD_FUZZERS_SCENARIO_TYPE_H_
#define JACQUARD_FUZZERS_SCENARIO_TYPE_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "sim/step.h"

namespace jacquard {

// The most threads that an input can have.
inline constexpr int kMaxInputThreads = 16;
// The most arguments that an operation can have.
inline constexpr int kMaxArguments = 3;

// One argument of an operation: its name in the text form, and how many values it has, from 0. One
// with the name kThreadArgument says which thread is meant.
inline constexpr std::string_view kThreadArgument = "thread";
struct Argument {
  const char* name = nullptr;
  int count = 1;
};

// One operation.
struct OperationType {
  using Run = const char* (*)(void* scenario, const void* method, const int* arguments);

  const char* name = nullptr;
  int arity = 0;
  Argument arguments[kMaxArguments] = {};
  Run run = nullptr;                      // calls `method`; returns its result as text, or null
  alignas(16) std::byte method[16] = {};  // what `run` calls
};

// A scenario class. Functions that the class does not have are null.
struct ScenarioType {
  const char* class_name = nullptr;
  const char* name = nullptr;  // null: made from class_name
  int min_threads = 1;
  int max_threads = 1;
  const OperationType* operations = nullptr;
  int operation_count = 0;
  bool check_leaks = true;
  bool allocations_may_fail = false;

  void* (*create)() = nullptr;
  void (*destroy)(void*) = nullptr;
  void (*begin_thread)(void*) = nullptr;
  void (*end_thread)(void*) = nullptr;
  // OnStep, CheckInvariant, StateFeature, in this order; returns the feature, or 0. One call, as it
  // comes after every step.
  int (*after_step)(void*, const Step&) = nullptr;
  void (*check_invariant)(void*) = nullptr;
  void (*check_after_operation)(void*, int thread) = nullptr;
  void (*check_final)(void*) = nullptr;
  void (*state_name)(int state, std::string* name) = nullptr;
  void (*name_of)(void*, const void* address, std::string* name) = nullptr;
  void (*text_of)(void*, const void* address, uint64_t value, std::string* text) = nullptr;
  void (*held_by)(void*, int thread, std::string* text) = nullptr;
  void (*use_validator)(bool) = nullptr;
};

}  // namespace jacquard

#endif  // JACQUARD_FUZZERS_SCENARIO_TYPE_H_
