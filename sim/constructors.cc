#include "sim/constructors.h"

#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <ios>
#include <string_view>

#include "sim/caller.h"
#include "sim/engine.h"
#include "sim/execute.h"
#include "sim/execute_again.h"
#include "sim/real.h"

namespace {
using Constructor = void (*)(int argc, char** argv, char** environment);
}

// The linker has the executable's constructors in a table, which the C library goes through.
extern "C" Constructor __init_array_start __attribute__((visibility("hidden")));
extern "C" Constructor __init_array_end __attribute__((visibility("hidden")));

namespace jacquard::sim {
namespace {

// In the environment of a program that is executed again.
constexpr char kMarker[] = "JACQUARD_CONSTRUCTORS";
constexpr char kEach[] = "each";

// As the program has got them.
constinit char** arguments = nullptr;
constinit bool is_forbidden = false;  // by the options

// Those that have been put aside, in their order.
constinit Constructor* constructors = nullptr;
constinit size_t constructor_count = 0;
constinit bool they_run = false;
// Why they could not be put aside, though they were to be, as errno has it; 0: no such reason.
constinit int failure = 0;

// The value of the variable `name` in `environment`; null: there is none.
char** FindVariable(char** environment, std::string_view name) {
  for (; *environment != nullptr; ++environment) {
    const std::string_view variable = *environment;
    if (variable.starts_with(name) && variable.substr(name.size()).starts_with('='))
      return environment;
  }
  return nullptr;
}
std::string_view ValueIn(const char* variable) {
  const std::string_view text = variable;
  return text.substr(text.find('=') + 1);
}

// What `options` say of it, "each" or "once"; "" if they say nothing. (Where they are separated by
// something else than spaces, main finds out.)
std::string_view Wanted(std::string_view options) {
  constexpr std::string_view kOption = "constructors=";
  const size_t last = options.rfind(kOption);  // the last one wins
  if (last == options.npos || (last != 0 && options[last - 1] != ' ')) return {};
  options.remove_prefix(last + kOption.size());
  return options.substr(0, options.find(' '));
}

// Whether the program has been executed again for that, or need not be. The marker is not in the
// environment afterwards.
bool AreForExecutions(char** environment) {
  if (char** marker = FindVariable(environment, kMarker); marker != nullptr) {
    for (; *marker != nullptr; ++marker) marker[0] = marker[1];
    return true;
  }
  char** const options = FindVariable(environment, "JACQUARD_OPTIONS");
  const std::string_view wanted = options != nullptr ? Wanted(ValueIn(*options)) : "";
  is_forbidden = wanted == "once";
  return wanted == kEach;
}

void DoNothing(int /*argc*/, char** /*argv*/, char** /*environment*/) {}

// Before all constructors, those of the runtime too: it may use nothing of it.
void PutAside(int /*argc*/, char** argv, char** environment) {
  if (!engine.IsBeforeProgram()) return;  // main is called once, and executes by itself
  arguments = argv;
  RememberProcess();
  if (!AreForExecutions(environment)) return;
  Constructor* const begin = &__init_array_start;
  const auto size = static_cast<size_t>(&__init_array_end - begin);
  constexpr uintptr_t kPage = 4096;
  const uintptr_t first_page = reinterpret_cast<uintptr_t>(begin) & ~(kPage - 1);
  const auto end = reinterpret_cast<uintptr_t>(begin + size);
  const int64_t copy = RawSyscall(SYS_mmap, 0, size * sizeof(Constructor), PROT_READ | PROT_WRITE,
                                  MAP_PRIVATE | MAP_ANONYMOUS, static_cast<uint64_t>(-1), 0);
  // The table is read-only once the program is loaded.
  const int64_t result =
      copy < 0 ? copy
               : RawSyscall(SYS_mprotect, first_page, end - first_page, PROT_READ | PROT_WRITE);
  failure = static_cast<int>(-std::min<int64_t>(result, 0));
  if (failure != 0) return;
  constructors = reinterpret_cast<Constructor*>(copy);
  for (size_t i = 0; i < size; ++i) {
    if (FromRuntime(reinterpret_cast<const void*>(begin[i]))) continue;
    constructors[constructor_count++] = begin[i];
    begin[i] = DoNothing;
  }
}

[[gnu::used, gnu::section(".preinit_array")]] Constructor const kPutAside = PutAside;

}  // namespace

void BeforeThreadOfConstructor() {
  if (!engine.IsBeforeProgram() || is_forbidden || HasConstructorsInExecutions()) return;
  std::fflush(nullptr);
  ExecuteWithConstructors(arguments);
  // If that fails, main says so.
}

bool ConstructorsRun() { return they_run; }

void PrepareConstructors() {
  // The standard streams are made by the first one of these, and not in each execution.
  if (HasConstructorsInExecutions()) static const std::ios_base::Init streams;
}

}  // namespace jacquard::sim

namespace jacquard {

bool HasConstructorsInExecutions() { return sim::constructors != nullptr; }

void RunConstructors(int argc, char** argv, char** environment) {
  sim::they_run = true;
  for (size_t i = 0; i < sim::constructor_count; ++i) sim::constructors[i](argc, argv, environment);
  sim::they_run = false;
}

int ExecuteWithConstructors(char** argv) {
  if (sim::failure != 0) return sim::failure;  // and so it would be again
  return sim::ExecuteAgain(sim::kMarker, sim::kEach, argv);
}

}  // namespace jacquard
