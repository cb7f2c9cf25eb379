// Parts of the C and C++ runtime libraries that keep state which an execution must not leave
// behind, and the ways in which a program gives up.
#include <assert.h>
#include <cxxabi.h>
#include <stdlib.h>
#include <sys/syscall.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "sim/caller.h"
#include "sim/engine.h"
#include "sim/faults.h"
#include "sim/opened_libraries.h"
#include "sim/real.h"
#include "sim/weak_atomics.h"

namespace jacquard::sim {
namespace {

struct ThreadDestructor {
  int thread;
  void (*function)(void*);
  void* object;
  const void* library;  // an address in whose variable it is
};
constinit std::vector<ThreadDestructor> thread_destructors;
// Of the process's first thread, outside of executions; and those that belong to thread 0.
constinit std::vector<ThreadDestructor> outside_destructors;
constinit std::vector<ThreadDestructor> kept_destructors;

// What the execution has registered for the end of the process, if it may be that, and for that of
// a library that it has opened.
struct ExitFunction {
  void (*function)(void*);
  void* object;
  const void* library;  // its handle, which each module has
};
constinit std::vector<ExitFunction> exit_functions;

// The guard of a function-local static (Itanium C++ ABI, 3.3.3): byte 0 says "initialised", byte 1
// is the implementation's.
struct Guard {
  uint8_t initialised;
  uint8_t busy;
};

// Guards that code under test takes are rolled back; the harness's own statics stay.
bool GuardIsSimulated() { return engine.InExecution(); }

void SetGuard(Guard* guard, Guard value) {
  // The program looks at the first byte by itself, with an atomic acquire load.
  engine.Release(guard);
  PublishByte(&guard->initialised, value.initialised);
  engine.rollback.BeforeWrite(guard, sizeof(uint64_t));
  *guard = value;
  if (!engine.hooks_on) return;
  engine.HasWritten(guard, sizeof(uint64_t));
  if (value.busy == 0) engine.LeavesLock(guard, HeldKind::kOnce);
  engine.WakeAll(WaitReason::kOnce, guard);
}

}  // namespace

void RunThreadDestructors() {
  for (auto i = thread_destructors.size(); i-- > 0;) {
    const ThreadDestructor destructor = thread_destructors[i];
    if (destructor.thread != engine.current->id) continue;
    thread_destructors.erase(thread_destructors.begin() + static_cast<std::ptrdiff_t>(i));
    destructor.function(destructor.object);
    i = thread_destructors.size();  // it may have registered or run others
  }
}

bool HasThreadDestructorOf(const DataRange& module) {
  return std::ranges::any_of(thread_destructors, [module](const ThreadDestructor& one) {
    return one.library >= module.begin && one.library < module.end;
  });
}

void DropThreadDestructors() {
  thread_destructors = kept_destructors;
  exit_functions.clear();
}

namespace {

// Those that `applies` holds of, the last one first.
void RunExitFunctionsThat(auto applies) {
  for (auto i = exit_functions.size(); i-- > 0;) {
    const ExitFunction one = exit_functions[i];
    if (!applies(one)) continue;
    exit_functions.erase(exit_functions.begin() + static_cast<std::ptrdiff_t>(i));
    one.function(one.object);
    i = exit_functions.size();  // it may have registered or run others
  }
}

}  // namespace

void RunExitFunctions() {
  RunExitFunctionsThat([](const ExitFunction&) { return true; });
}

void KeepThreadDestructors() {
  kept_destructors = outside_destructors;
  DropThreadDestructors();
}

}  // namespace jacquard::sim

using jacquard::sim::engine;
using jacquard::sim::Guard;
using jacquard::sim::GuardIsSimulated;
using jacquard::sim::opened_libraries;
using jacquard::sim::ServingProgram;
using jacquard::sim::SetGuard;
using jacquard::sim::WaitReason;

extern "C" {

int __cxa_guard_acquire(abi::__guard* word) {
  auto* const guard = reinterpret_cast<Guard*>(word);
  if (guard->initialised != 0) {
    engine.Acquire(guard);  // the program's own look at it has seen an older value
    return 0;
  }
  if (!GuardIsSimulated()) return JACQUARD_REAL(abi::__cxa_guard_acquire)(word);
  const auto pc = reinterpret_cast<uintptr_t>(__builtin_return_address(0));
  while (guard->busy != 0 && engine.hooks_on) {
    engine.CheckCycle(WaitReason::kOnce, guard, 0, pc);
    engine.Block(WaitReason::kOnce, guard, pc);
  }
  engine.Acquire(guard);  // also after an attempt that threw
  if (guard->initialised != 0) return 0;
  if (engine.hooks_on) engine.TakesLock(guard, jacquard::sim::HeldKind::kOnce, pc, false);
  SetGuard(guard, {0, 1});
  return 1;
}

void __cxa_guard_release(abi::__guard* word) {
  if (!GuardIsSimulated()) return JACQUARD_REAL(abi::__cxa_guard_release)(word);
  SetGuard(reinterpret_cast<Guard*>(word), {1, 0});
}

void __cxa_guard_abort(abi::__guard* word) {
  if (!GuardIsSimulated()) return JACQUARD_REAL(abi::__cxa_guard_abort)(word);
  SetGuard(reinterpret_cast<Guard*>(word), {0, 0});
}

// The destructor of a static that an execution makes: the roll-back takes the object's place.
int __cxa_atexit(void (*function)(void*), void* object, void* library) {
  const void* const caller = __builtin_return_address(0);
  if (GuardIsSimulated() && jacquard::sim::FromProgram(caller)) {
    if (engine.options().exits == jacquard::ExitMode::kIsRealIfAlone ||
        opened_libraries.Contains(caller)) {
      const jacquard::sim::RealHeap real_heap;
      jacquard::sim::exit_functions.push_back({function, object, library});
    }
    return 0;
  }
  static const auto real = reinterpret_cast<int (*)(void (*)(void*), void*, void*)>(
      jacquard::sim::FindReal("__cxa_atexit"));
  return real(function, object, library);
}

// What a library calls when it goes.
void __cxa_finalize(void* library) {
  if (engine.Simulates() && library != nullptr) {
    jacquard::sim::RunExitFunctionsThat(
        [library](const jacquard::sim::ExitFunction& one) { return one.library == library; });
  }
  static const auto real =
      reinterpret_cast<void (*)(void*)>(jacquard::sim::FindReal("__cxa_finalize"));
  real(library);
}

int __cxa_thread_atexit(void (*function)(void*), void* object, void* library) {
  if (engine.Simulates() || engine.OnStage()) {
    const jacquard::sim::RealHeap real_heap;
    jacquard::sim::thread_destructors.push_back({engine.current->id, function, object, library});
    return 0;
  }
  if (!engine.executing && jacquard::sim::FromExecutable(__builtin_return_address(0)) &&
      jacquard::sim::RawSyscall(SYS_gettid) == jacquard::sim::RawSyscall(SYS_getpid)) {
    jacquard::sim::outside_destructors.push_back({0, function, object, library});
  }
  static const auto real = reinterpret_cast<int (*)(void (*)(void*), void*, void*)>(
      jacquard::sim::FindReal("__cxa_thread_atexit"));
  return real(function, object, library);
}

void* __cxa_allocate_exception(size_t size) noexcept {
  if (!engine.OnExecutingThread()) return JACQUARD_REAL(abi::__cxa_allocate_exception)(size);
  return ServingProgram([size] { return JACQUARD_REAL(abi::__cxa_allocate_exception)(size); });
}

abi::__cxa_dependent_exception* __cxa_allocate_dependent_exception() noexcept {
  if (!engine.OnExecutingThread()) return JACQUARD_REAL(abi::__cxa_allocate_dependent_exception)();
  return ServingProgram([] { return JACQUARD_REAL(abi::__cxa_allocate_dependent_exception)(); });
}

void abort() noexcept {
  if (engine.executing && engine.OnExecutingThread()) {
    engine.Fail(jacquard::VerdictKind::kAbort, "abort", "the program called abort()",
                {.pc = jacquard::sim::CallOfProgram()});
  }
  JACQUARD_REAL(abort)();
  __builtin_unreachable();
}

void __assert_fail(const char* expression, const char* file, unsigned line,
                   const char* function) noexcept {
  if (engine.executing && engine.OnExecutingThread()) {
    // Texts from the arena: this stack is given up.
    engine.Fail(jacquard::VerdictKind::kAbort, std::string("assert(") + expression + ")",
                std::string("failed at ") + file + ":" + std::to_string(line) + " in " + function,
                {.pc = jacquard::sim::CallOfProgram()});
  }
  JACQUARD_REAL(__assert_fail)(expression, file, line, function);
  __builtin_unreachable();
}

}  // extern "C"
