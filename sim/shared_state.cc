// The C library's functions that POSIX and C do not make safe for threads, as they keep something
// between their calls. A byte of the runtime stands for what each keeps, and is written or read as
// plainly as it is: two calls that nothing orders are a race.
//
// Not among them are rand() and its like, which glibc guards with a lock, and strerror() and its
// like, whose result is the thread's own there.
#include "sim/shared_state.h"

#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "sim/arena.h"
#include "sim/c_function.h"
#include "sim/engine.h"
#include "sim/plain_ranges.h"
#include "sim/real.h"
#include "sim/sync.h"

extern "C" void* __libc_stack_end;  // NOLINT(bugprone-reserved-identifier)

namespace jacquard::sim {
namespace {

struct alignas(8) SharedState {
  const char* name;
  char byte = 0;

  void Read(uintptr_t pc) const { NotePlainRead(&byte, 1, pc); }
  void Write(uintptr_t pc) const { NotePlainWrite(&byte, 1, pc); }
};

constinit SharedState token_place = {"the place where strtok goes on"};
constinit SharedState broken_down_time = {"what gmtime and localtime point to"};
constinit SharedState time_text = {"what asctime and ctime point to"};
constinit SharedState environment = {"the environment"};

// ---- the environment

// As it was before the execution changed it; and an array in which it is put back where the C
// library may have reallocated the one that it lay in. The process's first one lies above all
// stack frames, and main knows it.
std::vector<char*> entries_before;
std::vector<char*> restored_entries;
char** array_before = nullptr;
char** array_at_begin = nullptr;  // of the execution: it may have made another one the environment
bool environment_changed = false;

// The C library reads the time zone when it is first asked for, but localtime_r does not read it
// again. So that it does so once in each execution:
bool zone_is_read = false;

bool IsFirstArray(char** array) { return static_cast<void*>(array) > __libc_stack_end; }

// By the call that returns to `pc`.
void BeforeEnvironmentChanges(uintptr_t pc) {
  if (IsWatched(pc)) environment.Write(pc);
  if (environment_changed || !arena_on || !engine.OnExecutingThread()) return;
  environment_changed = true;
  const RealHeap real_heap;
  entries_before.clear();
  array_before = array_at_begin;
  for (char** entry = array_before; entry != nullptr && *entry != nullptr; ++entry) {
    entries_before.push_back(*entry);
  }
  entries_before.push_back(nullptr);
}

}  // namespace

const char* NameOfSharedState(uintptr_t address) {
  for (const SharedState* state : {&token_place, &broken_down_time, &time_text, &environment}) {
    if (address == reinterpret_cast<uintptr_t>(&state->byte)) return state->name;
  }
  return nullptr;
}

void BeginEnvironment() {
  array_at_begin = environ;
  zone_is_read = false;
}

void RestoreEnvironment() {
  if (!environment_changed) return;
  environment_changed = false;
  const RealHeap real_heap;
  if (array_before != nullptr && IsFirstArray(array_before)) {
    std::copy(entries_before.begin(), entries_before.end(), array_before);
    environ = array_before;
  } else {
    restored_entries = entries_before;
    environ = restored_entries.data();
  }
}

}  // namespace jacquard::sim

using jacquard::sim::BeforeEnvironmentChanges;
using jacquard::sim::broken_down_time;
using jacquard::sim::engine;
using jacquard::sim::environment;
using jacquard::sim::time_text;
using jacquard::sim::token_place;

JACQUARD_C_FUNCTION(strtok, char*, (char* text, const char* separators), (text, separators),
                    token_place.Write(pc))
JACQUARD_C_FUNCTION(gmtime, tm*, (const time_t* time), (time), broken_down_time.Write(pc))
JACQUARD_C_FUNCTION(localtime, tm*, (const time_t* time), (time), broken_down_time.Write(pc))
JACQUARD_C_FUNCTION(asctime, char*, (const tm* time), (time), time_text.Write(pc))
// As asctime(localtime(time)).
JACQUARD_C_FUNCTION(ctime, char*, (const time_t* time), (time),
                    (broken_down_time.Write(pc), time_text.Write(pc)))

JACQUARD_C_FUNCTION(getenv, char*, (const char* name), (name), environment.Read(pc))
JACQUARD_C_FUNCTION(secure_getenv, char*, (const char* name), (name), environment.Read(pc))

extern "C" {

tm* localtime_r(const time_t* time, tm* result) noexcept {
  if (engine.InExecution() && !std::exchange(jacquard::sim::zone_is_read, true)) tzset();
  return JACQUARD_REAL(localtime_r)(time, result);
}

int setenv(const char* name, const char* value, int replace) noexcept {
  BeforeEnvironmentChanges(JACQUARD_CALLER);
  return JACQUARD_REAL(setenv)(name, value, replace);
}

int unsetenv(const char* name) noexcept {
  BeforeEnvironmentChanges(JACQUARD_CALLER);
  return JACQUARD_REAL(unsetenv)(name);
}

int putenv(char* entry) noexcept {
  BeforeEnvironmentChanges(JACQUARD_CALLER);
  return JACQUARD_REAL(putenv)(entry);
}

int clearenv() noexcept {
  BeforeEnvironmentChanges(JACQUARD_CALLER);
  return JACQUARD_REAL(clearenv)();
}

}  // extern "C"
