#include "sim/exit_functions.h"

#include <cxxabi.h>
#include <stdlib.h>
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
  // In the place of `function`, what on_exit was given; else null.
  void (*with_status)(int, void*) = nullptr;
};
constinit std::vector<ExitFunction> exit_functions;
constinit std::vector<ExitFunction> quick_exit_functions;  // of at_quick_exit
// How many constructors of globals have registered before main.
constinit int outside_functions = 0;
// How many functions with the attribute "destructor" there are, and are still to be called.
constinit size_t destructors = 0;
constinit size_t destructors_left = 0;

// With the counters of coverage something writes files of its own at the end of the process.
bool CountsCoverage() { return &__llvm_profile_runtime != nullptr || &llvm_gcov_init != nullptr; }

// Whether `one` is to be called at the end of a program, which `caller` has registered.
bool IsOfProgram(const ExitFunction& one, const void* caller) {
  if (FromRuntime(caller)) return false;
  // A flush comes at the end of an execution in any case.
  const bool flushes = one.function == FinishStreams || one.function == DumpCoverage;
  if (flushes && one.function != nullptr) return false;
  return !(CountsCoverage() && ConstructorsRun() && one.object == nullptr);
}

// `caller` registers one of them. False: that is for the C library to keep. A body that is no
// program has no end of its own: there the roll-back takes the place of what would be called.
bool Register(std::vector<ExitFunction>& functions, const ExitFunction& one, const void* caller) {
  const bool is_of_program = IsOfProgram(one, caller);
  if (engine.InExecution() && FromProgram(caller)) {
    const bool is_called =
        engine.options().exits != ExitMode::kIsMisplaced || opened_libraries.Contains(caller);
    if (is_called && is_of_program) {
      const RealHeap real_heap;
      functions.push_back(one);
    }
    return true;
  }
  if (engine.IsBeforeProgram() && FromExecutable(caller) && is_of_program &&
      &functions == &exit_functions)
    ++outside_functions;
  return false;
}

// Those that `applies` holds of, the last one first.
void Run(std::vector<ExitFunction>& functions, int status, auto applies) {
  for (auto i = functions.size(); i-- > 0;) {
    const ExitFunction one = functions[i];
    if (!applies(one)) continue;
    functions.erase(functions.begin() + static_cast<std::ptrdiff_t>(i));
    if (one.with_status != nullptr) {
      one.with_status(status, one.object);
    } else {
      one.function(one.object);
    }
    i = functions.size();  // it may have registered or run others
  }
}
bool Any(const ExitFunction& /*one*/) { return true; }

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

void RunExitFunctions(int status) { Run(exit_functions, status, Any); }

void RunQuickExitFunctions() { Run(quick_exit_functions, 0, Any); }

bool HasExitFunctions() {
  // One of the destructors is the compiler's own, and does nothing.
  return !exit_functions.empty() || destructors_left > 1;
}

bool HasEarlierExitFunctions() {
  return !HasConstructorsInExecutions() && (outside_functions != 0 || destructors > 1);
}

void RunAllExitFunctions(int status) {
  RunExitFunctions(status);
  while (destructors_left != 0) {
    void (*const function)() = (&__fini_array_start)[--destructors_left];
    if (!FromRuntime(reinterpret_cast<const void*>(function))) function();
    RunExitFunctions(status);  // it may have registered some
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
  quick_exit_functions.clear();
  destructors_left = HasConstructorsInExecutions() ? destructors : 0;
}

}  // namespace jacquard::sim

using jacquard::sim::engine;
using jacquard::sim::exit_functions;
using jacquard::sim::FindReal;
using jacquard::sim::quick_exit_functions;
using jacquard::sim::Register;

extern "C" {

// The destructor of a static that an execution makes, or a function of atexit.
int __cxa_atexit(void (*function)(void*), void* object, void* library) {
  if (Register(exit_functions, {function, object, library}, __builtin_return_address(0))) return 0;
  static const auto real =
      reinterpret_cast<int (*)(void (*)(void*), void*, void*)>(FindReal("__cxa_atexit"));
  return real(function, object, library);
}

int on_exit(void (*function)(int, void*), void* object) noexcept {
  if (Register(exit_functions, {nullptr, object, nullptr, function}, JACQUARD_RETURN_ADDRESS))
    return 0;
  return JACQUARD_REAL(on_exit)(function, object);
}

// What at_quick_exit calls.
int __cxa_at_quick_exit(void (*function)(void*), void* library) {
  if (Register(quick_exit_functions, {function, nullptr, library}, __builtin_return_address(0)))
    return 0;
  static const auto real =
      reinterpret_cast<int (*)(void (*)(void*), void*)>(FindReal("__cxa_at_quick_exit"));
  return real(function, library);
}

// What a library calls when it goes.
void __cxa_finalize(void* library) {
  if (engine.Simulates() && library != nullptr) {
    const auto is_its_own = [library](const jacquard::sim::ExitFunction& one) {
      return one.library == library;
    };
    jacquard::sim::Run(exit_functions, 0, is_its_own);
    std::erase_if(quick_exit_functions, is_its_own);
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
  static const auto real =
      reinterpret_cast<int (*)(void (*)(void*), void*, void*)>(FindReal("__cxa_thread_atexit"));
  return real(function, object, library);
}

}  // extern "C"
