#include "sim/exit_functions.h"

#include <cxxabi.h>
#include <sys/syscall.h>

#include <algorithm>
#include <cstddef>
#include <vector>

#include "sim/caller.h"
#include "sim/constructors.h"
#include "sim/engine.h"
#include "sim/opened_libraries.h"
#include "sim/real.h"

// The linker has the functions with the attribute "destructor" in a table.
extern "C" void (*const __fini_array_start)() __attribute__((visibility("hidden")));
extern "C" void (*const __fini_array_end)() __attribute__((visibility("hidden")));
extern "C" [[gnu::weak]] int __llvm_profile_runtime;
extern "C" [[gnu::weak]] void llvm_gcov_init();
// std::ios_base::Init::~Init(), which flushes the standard streams.
extern "C" void FinishStreams(void* object) __asm__("_ZNSt8ios_base4InitD1Ev");
// __sanitizer_cov_dump(): UBSan's runtime has it called.
extern "C" [[gnu::weak]] void DumpCoverage(void* object) __asm__("__sanitizer_cov_dump");

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

// What the execution has registered for the end of the process, and for that of a library that it
// has opened.
struct ExitFunction {
  void (*function)(void*);
  void* object;
  const void* library;  // its handle, which each module has
};
constinit std::vector<ExitFunction> exit_functions;
// How many constructors of globals have registered before main.
constinit int outside_functions = 0;
// How many functions with the attribute "destructor" there are, and are still to be called.
constinit size_t destructors = 0;
constinit size_t destructors_left = 0;

// With the counters of coverage something writes files of its own at the end of the process.
bool CountsCoverage() { return &__llvm_profile_runtime != nullptr || &llvm_gcov_init != nullptr; }

// Whether `function` is to be called at the end of a program, with `object`, that `caller` has
// registered.
bool IsOfProgram(void (*function)(void*), const void* object, const void* caller) {
  // A flush comes at the end of an execution in any case.
  if (FromRuntime(caller) || function == FinishStreams || function == DumpCoverage) return false;
  return !(CountsCoverage() && ConstructorsRun() && object == nullptr);
}

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

void RunExitFunctions() {
  RunExitFunctionsThat([](const ExitFunction&) { return true; });
}

bool HasExitFunctions() {
  // One of the destructors is the compiler's own, and does nothing.
  return !exit_functions.empty() || destructors_left > 1;
}

bool HasEarlierExitFunctions() {
  return !HasConstructorsInExecutions() && (outside_functions != 0 || destructors > 1);
}

void RunAllExitFunctions() {
  RunExitFunctions();
  while (destructors_left != 0) {
    void (*const function)() = (&__fini_array_start)[--destructors_left];
    if (!FromRuntime(reinterpret_cast<const void*>(function))) function();
    RunExitFunctions();  // it may have registered some
  }
}

void KeepExitFunctions() {
  kept_destructors = outside_destructors;
  if (!CountsCoverage()) destructors = static_cast<size_t>(&__fini_array_end - &__fini_array_start);
  DropExitFunctions();
}

void DropExitFunctions() {
  thread_destructors = kept_destructors;
  exit_functions.clear();
  destructors_left = HasConstructorsInExecutions() ? destructors : 0;
}

}  // namespace jacquard::sim

using jacquard::sim::engine;
using jacquard::sim::opened_libraries;

extern "C" {

// The destructor of a static that an execution makes, or a function of atexit. A body that is no
// program has no end of its own: there the roll-back takes the destructor's place.
int __cxa_atexit(void (*function)(void*), void* object, void* library) {
  const void* const caller = __builtin_return_address(0);
  if (engine.InExecution() && jacquard::sim::FromProgram(caller)) {
    const bool is_called = engine.options().exits != jacquard::ExitMode::kIsMisplaced ||
                           opened_libraries.Contains(caller);
    if (is_called && jacquard::sim::IsOfProgram(function, object, caller)) {
      const jacquard::sim::RealHeap real_heap;
      jacquard::sim::exit_functions.push_back({function, object, library});
    }
    return 0;
  }
  if (engine.IsBeforeProgram() && jacquard::sim::FromExecutable(caller) &&
      jacquard::sim::IsOfProgram(function, object, caller))
    ++jacquard::sim::outside_functions;
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

}  // extern "C"
