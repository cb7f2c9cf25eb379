#include "sim/exit_functions.h"

#include <cxxabi.h>
#include <sys/syscall.h>

#include <algorithm>
#include <cstddef>
#include <vector>

#include "sim/caller.h"
#include "sim/engine.h"
#include "sim/opened_libraries.h"
#include "sim/real.h"

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

void KeepThreadDestructors() {
  kept_destructors = outside_destructors;
  DropExitFunctions();
}

void RunExitFunctions() {
  RunExitFunctionsThat([](const ExitFunction&) { return true; });
}

void DropExitFunctions() {
  thread_destructors = kept_destructors;
  exit_functions.clear();
}

}  // namespace jacquard::sim

using jacquard::sim::engine;
using jacquard::sim::opened_libraries;

extern "C" {

// The destructor of a static that an execution makes: the roll-back takes the object's place.
int __cxa_atexit(void (*function)(void*), void* object, void* library) {
  const void* const caller = __builtin_return_address(0);
  if (engine.InExecution() && jacquard::sim::FromProgram(caller)) {
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

}  // extern "C"
