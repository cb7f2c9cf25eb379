// What a user writes: a class with the state, a table of named operations, and checks.
//
//   class SpinLockScenario {
//    public:
//     static constexpr int kMaxThreads = 3;
//     static auto Operations() {
//       return jacquard::Operations<SpinLockScenario>{
//           {"lock", &SpinLockScenario::Lock, {"object", 2}},  // one argument, 0 or 1
//           {"unlock", &SpinLockScenario::Unlock, {"object", 2}},
//       };
//     }
//     void CheckInvariant() const;
//     ...
//   };
//   JACQUARD_FUZZ_TARGET(SpinLockScenario)
//
// A fuzz target decodes each byte string to an input: which thread calls which operations, and the
// decisions that are otherwise left to chance. It makes one object of the class for each execution
// and calls the operations on it, each thread its own, side by side. The same class runs in two
// forms: simulated (one OS thread, every interleaving under control), and native (real threads
// under a sanitizer; also the stress test).
//
// What the class may have (all found by their names; only kMaxThreads and Operations() must exist):
//
//   member                                      when it is called
//   ------------------------------------------ ----------------------------------------------------
//   static constexpr int kMaxThreads            1 to kMaxInputThreads
//   static constexpr int kMinThreads            so many threads at least, even without operations;
//                                               default: 1
//   static constexpr const char* kName          default: vma_lock for a class VmaLockScenario
//   static constexpr bool kStartsTheSame        true: the constructor writes only to the object,
//                                               and the same every time. The simulation calls it
//                                               once, and later copies what it made
//   static constexpr bool kCheckLeaks           simulated: whether what is still allocated when the
//                                               object is gone, and lost, is a failure; default
//                                               true
//   static constexpr bool kAllocationsMayFail   simulated: whether each allocation on a thread may
//                                               fail; default false. The decision is part of the
//                                               input, so a change gives old inputs another meaning
//   static Operations<S> Operations()           once per process
//   void BeginThread(), void EndThread()        on each thread, before its first and after its last
//                                               operation: release here what is still held
//   void OnStep(const jacquard::Step&)          simulated: after every step
//   void CheckInvariant() [const]               simulated: after every step, after OnStep; native:
//                                               once, when all threads are done
//   void CheckAfterOperation(int thread) const  after each operation, while others go on: what
//                                               `thread` may rely on. Native: on the thread itself,
//                                               so it must be free of data races
//   void CheckFinal() [const]                   when all threads are done
//   int StateFeature() const                    simulated: after every step. A number that stands
//                                               for the state of the locks: libFuzzer keeps inputs
//                                               that reach a new one, or a new pair of operation
//                                               and state
//   static std::string StateName(int)           for reports: such a number in words
//   std::string NameOf(const void*) const       for reports: the name of the object at an address
//   std::string TextOf(const void*, uint64_t) const   and a value in it, in words; "" if unknown
//   std::string HeldBy(int thread) const        for reports: what a thread holds of the locks under
//                                               test, "mm for writing"; "" if nothing. In a stress
//                                               test also what it waits for, asked while it goes
//                                               on: free of data races
//   static void UseValidator(bool)              stress test: its --validator; what objects made
//                                               from now on do
//
// In the simulation everything but the operations, BeginThread and EndThread is called with the
// hooks off: it makes no steps and reads the newest values. A check that fails calls
// jacquard::Check or jacquard::Fail (sim/runtime.h). jacquard::CurrentThread() tells the thread.
// Checks run after every step, so they decide about the speed: look only at what the step has
// changed (OnStep), and put JACQUARD_CHECK_CODE before their declarations.
//
// An operation is a member function, or a lambda that takes the object first. It takes up to three
// arguments of type int, and returns nothing, or a bool or const char* that the trace shows as its
// result. Operations are stored by position: add new ones at the end.
#ifndef JACQUARD_FUZZERS_SCENARIO_H_
#define JACQUARD_FUZZERS_SCENARIO_H_

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <new>
#include <string>
#include <type_traits>
#include <vector>

#include "fuzzers/scenario_type.h"
#include "sim/runtime.h"
#include "sim/step.h"

namespace jacquard {

// Whether this program is the simulated form (true) or the native one.
bool Simulated();

// For the checks of a scenario, which run after every step: without hooks and coverage they are
// faster, and libFuzzer does not take their branches for those of the code under test. Never for an
// operation: its hooks are what the simulation sees.
#define JACQUARD_CHECK_CODE \
  __attribute__((no_sanitize("thread"), disable_sanitizer_instrumentation, no_sanitize("coverage")))

// The trampolines between harness and scenario. The first attribute also keeps the scenario's own
// functions from being inlined into them, which would lose their hooks.
#define JACQUARD_UNHOOKED JACQUARD_CHECK_CODE

// One row of the table of operations.
template <typename S>
class Operation : public OperationType {
 public:
  template <typename M>
    requires std::is_invocable_v<M, S&>
  Operation(const char* operation_name, M operation_method) {
    Set<M>(operation_name, operation_method, {});
  }
  template <typename M>
    requires std::is_invocable_v<M, S&, int>
  Operation(const char* operation_name, M operation_method, Argument a) {
    Set<M, 0>(operation_name, operation_method, {a});
  }
  template <typename M>
    requires std::is_invocable_v<M, S&, int, int>
  Operation(const char* operation_name, M operation_method, Argument a, Argument b) {
    Set<M, 0, 1>(operation_name, operation_method, {a, b});
  }
  template <typename M>
    requires std::is_invocable_v<M, S&, int, int, int>
  Operation(const char* operation_name, M operation_method, Argument a, Argument b, Argument c) {
    Set<M, 0, 1, 2>(operation_name, operation_method, {a, b, c});
  }

 private:
  template <typename M, int... kIndex>
  void Set(const char* operation_name, const M& operation_method,
           std::initializer_list<Argument> list) {
    static_assert(std::is_trivially_copyable_v<M> && sizeof(M) <= sizeof(method),
                  "an operation is a member function or a lambda without captures");
    name = operation_name;
    for (const Argument& argument : list) arguments[arity++] = argument;
    std::memcpy(method, &operation_method, sizeof(M));
    run = &Run<M, kIndex...>;
  }

  template <typename M, int... kIndex>
  JACQUARD_UNHOOKED static const char* Run(void* scenario, const void* stored,
                                           [[maybe_unused]] const int* values) {
    using R = std::invoke_result_t<M, S&, decltype(kIndex)...>;
    static_assert(std::is_void_v<R> || std::is_same_v<R, bool> || std::is_same_v<R, const char*>,
                  "an operation returns void, bool or const char*");
    S& object = *static_cast<S*>(scenario);
    const M& m = *static_cast<const M*>(stored);
    if constexpr (std::is_void_v<R>) {
      Invoke<M, R>(object, m, values[kIndex]...);
      return nullptr;
    } else if constexpr (std::is_same_v<R, bool>) {
      return Invoke<M, R>(object, m, values[kIndex]...) ? "true" : "false";
    } else {
      return Invoke<M, R>(object, m, values[kIndex]...);
    }
  }

  template <typename M, typename R, typename... Ints>
  JACQUARD_UNHOOKED static R Invoke(S& object, const M& m, Ints... values) {
    if constexpr (std::is_member_function_pointer_v<M>) {
      return (object.*m)(values...);
    } else {
      return m(object, values...);
    }
  }
};

// The table of operations.
template <typename S>
class Operations {
 public:
  Operations(std::initializer_list<Operation<S>> rows) {
    for (const Operation<S>& row : rows) rows_.push_back(row);
  }
  const std::vector<OperationType>& rows() const { return rows_; }

 private:
  std::vector<OperationType> rows_;
};

// Callable with whatever is not void.
template <typename R>
void TakesValue(const R& value);

// The functions of a descriptor, for class `S`.
template <typename S>
struct ScenarioFunctions {
  static constexpr bool kHasStateFeature = requires(const S& s) { s.StateFeature(); };
  static constexpr bool kHearsOfSteps = kHasStateFeature || requires(S& s, const Step& step) {
    s.OnStep(step);
  } || requires(S& s) { s.CheckInvariant(); };

  // Whether no check returns something, which would be dropped, as if it never failed.
  static constexpr bool kChecksReturnNothing = !(
      requires(S& s, const Step& step) { TakesValue(s.OnStep(step)); } ||
      requires(S& s) { TakesValue(s.CheckInvariant()); } ||
      requires(S& s) { TakesValue(s.CheckAfterOperation(0)); } ||
      requires(S& s) { TakesValue(s.CheckFinal()); });

  // Whether the class says that new objects at one address are the same, byte by byte.
  static constexpr bool kStartsTheSame = requires { requires S::kStartsTheSame; };

  JACQUARD_UNHOOKED static void* Create() {
    if constexpr (kStartsTheSame) {
      if (Simulated()) return CreateCopy();
    }
    return new S();
  }
  // The first one is constructed, and the next ones at its address, which in the simulation is that
  // of all, are copies of it as it was then.
  JACQUARD_UNHOOKED static void* CreateCopy() {
    static_assert(alignof(S) <= __STDCPP_DEFAULT_NEW_ALIGNMENT__);
    static std::byte first[sizeof(S)];
    static void* address_of_first = nullptr;
    void* const place = ::operator new(sizeof(S));
    if (place == address_of_first) {
      std::memcpy(place, first, sizeof(S));
    } else {
      new (place) S();
      std::memcpy(first, place, sizeof(S));
      address_of_first = place;
    }
    return place;
  }
  JACQUARD_UNHOOKED static void Destroy(void* s) { delete static_cast<S*>(s); }
  JACQUARD_UNHOOKED static void BeginThread(void* s) { static_cast<S*>(s)->BeginThread(); }
  JACQUARD_UNHOOKED static void EndThread(void* s) { static_cast<S*>(s)->EndThread(); }
  JACQUARD_UNHOOKED static int AfterStep(void* s, const Step& step) {
    S& scenario = *static_cast<S*>(s);
    if constexpr (requires { scenario.OnStep(step); }) scenario.OnStep(step);
    if constexpr (requires { scenario.CheckInvariant(); }) scenario.CheckInvariant();
    if constexpr (kHasStateFeature) return static_cast<const S&>(scenario).StateFeature();
    return 0;
  }
  JACQUARD_UNHOOKED static void CheckInvariant(void* s) { static_cast<S*>(s)->CheckInvariant(); }
  JACQUARD_UNHOOKED static void CheckAfterOperation(void* s, int thread) {
    static_cast<S*>(s)->CheckAfterOperation(thread);
  }
  JACQUARD_UNHOOKED static void CheckFinal(void* s) { static_cast<S*>(s)->CheckFinal(); }
  static void StateName(int state, std::string* name) { *name = S::StateName(state); }
  static void NameOf(void* s, const void* address, std::string* name) {
    *name = static_cast<const S*>(s)->NameOf(address);
  }
  static void TextOf(void* s, const void* address, uint64_t value, std::string* text) {
    *text = static_cast<const S*>(s)->TextOf(address, value);
  }
  static void HeldBy(void* s, int thread, std::string* text) {
    *text = static_cast<const S*>(s)->HeldBy(thread);
  }
};

// The descriptor of class `S`; made once. `class_name` must be a literal.
template <typename S>
const ScenarioType& ScenarioTypeOf(const char* class_name) {
  static_assert(requires { S::kMaxThreads; }, "a scenario needs static constexpr int kMaxThreads");
  static_assert(S::kMaxThreads >= 1 && S::kMaxThreads <= kMaxInputThreads,
                "kMaxThreads is out of range");
  static_assert(std::is_default_constructible_v<S>, "a scenario is made without arguments");
  static_assert(ScenarioFunctions<S>::kChecksReturnNothing,
                "OnStep, CheckInvariant, CheckAfterOperation and CheckFinal return void: a check "
                "that fails calls jacquard::Check or jacquard::Fail");
  static const auto operations = S::Operations();
  static const ScenarioType type = [class_name] {
    using F = ScenarioFunctions<S>;
    ScenarioType t;
    t.class_name = class_name;
    t.max_threads = S::kMaxThreads;
    t.operations = operations.rows().data();
    t.operation_count = static_cast<int>(operations.rows().size());
    t.create = &F::Create;
    t.destroy = &F::Destroy;
    if constexpr (requires { S::kName; }) t.name = S::kName;
    if constexpr (requires { S::kMinThreads; }) t.min_threads = S::kMinThreads;
    if constexpr (requires { S::kCheckLeaks; }) t.check_leaks = S::kCheckLeaks;
    if constexpr (requires { S::kAllocationsMayFail; }) {
      t.allocations_may_fail = S::kAllocationsMayFail;
    }
    if constexpr (requires(S& s) { s.BeginThread(); }) t.begin_thread = &F::BeginThread;
    if constexpr (requires(S& s) { s.EndThread(); }) t.end_thread = &F::EndThread;
    if constexpr (F::kHearsOfSteps) t.after_step = &F::AfterStep;
    if constexpr (requires(S& s) { s.CheckInvariant(); }) t.check_invariant = &F::CheckInvariant;
    if constexpr (requires(S& s) { s.CheckAfterOperation(0); }) {
      t.check_after_operation = &F::CheckAfterOperation;
    }
    if constexpr (requires(S& s) { s.CheckFinal(); }) t.check_final = &F::CheckFinal;
    if constexpr (requires(const S& s, const void* a) { s.NameOf(a); }) t.name_of = &F::NameOf;
    if constexpr (requires(const S& s, const void* a) { s.TextOf(a, uint64_t{}); }) {
      t.text_of = &F::TextOf;
    }
    if constexpr (requires { S::StateName(0); }) t.state_name = &F::StateName;
    if constexpr (requires(const S& s) { s.HeldBy(0); }) t.held_by = &F::HeldBy;
    if constexpr (requires { S::UseValidator(true); }) t.use_validator = &S::UseValidator;
    return t;
  }();
  return type;
}

}  // namespace jacquard

// Makes `Class` the scenario of this fuzz target. Once per program, outside of any namespace.
#define JACQUARD_FUZZ_TARGET(Class)                      \
  const ::jacquard::ScenarioType& JacquardFuzzTarget();  \
  const ::jacquard::ScenarioType& JacquardFuzzTarget() { \
    return ::jacquard::ScenarioTypeOf<Class>(#Class);    \
  }

#endif  // JACQUARD_FUZZERS_SCENARIO_H_
