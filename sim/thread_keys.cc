// pthread_getspecific and its like: each simulated thread begins without values, but for the first
// one of a program with a main of its own, and runs the destructors of those that it leaves. The C
// library's own values would stay with the parked thread from one execution to the next.
//
// Keys are the C library's; those that an execution makes are deleted after it, and of those from
// before main that it deletes nobody knows until then.
#include "sim/thread_keys.h"

#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <pthread.h>

#include <algorithm>
#include <cstddef>

#include "sim/caller.h"
#include "sim/engine.h"
#include "sim/real.h"

namespace jacquard::sim {
namespace {

using Destructor = void (*)(void*);

struct Values {
  void* of_key[PTHREAD_KEYS_MAX];
  pthread_key_t end;  // keys from here on have no value
};
Values values[kMaxThreads + 1];  // the last ones are the stage's
Values first_values;             // with which thread 0 begins

Values& Mine() {
  const int id = engine.current->id;
  return values[id < 0 ? kMaxThreads : id];
}

struct Key {
  Destructor destructor;
  bool made_by_execution;
  bool is_known;  // made and not deleted
  bool from_before_main;
  bool deleted_by_execution;
};
Key keys[PTHREAD_KEYS_MAX];
pthread_key_t keys_end = 0;  // no key from here on was made or deleted by an execution

bool keys_made = false;  // the execution has made or deleted one
bool keys_used = false;  // the execution has set a value for one

// With the hooks off, too: the storage is that of the simulated thread.
bool OnSimulatedThread() {
  return engine.OnExecutingThread() && (engine.current->id >= 0 || engine.OnStage());
}

bool Simulates(pthread_key_t key) { return key < PTHREAD_KEYS_MAX && OnSimulatedThread(); }

// Whether a library has it among its data that is no part of the program; also one that has been
// opened since the beginning.
bool IsAmongDataThatStays(const void* address) {
  const Rollback& rollback = engine.rollback;
  if (rollback.IsInOtherLibraries(address)) return true;
  Dl_info info;
  return !rollback.Covers(address) && !rollback.IsInOpenedLibraries(address) &&
         dladdr(address, &info) != 0;
}

// Whether the key has been made and not deleted. The C library's own name for making one goes past
// the interposer.
bool IsKey(pthread_key_t key) {
  if (keys[key].deleted_by_execution) return false;
  return keys[key].is_known ||
         JACQUARD_REAL(pthread_setspecific)(key, JACQUARD_REAL(pthread_getspecific)(key)) == 0;
}

}  // namespace

void RunKeyDestructors() {
  if (!keys_used) return;
  Values& mine = Mine();
  for (int round = 0; round < PTHREAD_DESTRUCTOR_ITERATIONS; ++round) {
    bool any = false;
    for (pthread_key_t key = 0; key < mine.end; ++key) {
      void* const value = mine.of_key[key];
      if (value == nullptr || keys[key].destructor == nullptr) continue;
      mine.of_key[key] = nullptr;
      any = true;
      const Destructor destructor = keys[key].destructor;
      // std::promise::set_value_at_thread_exit makes its value ready here, and may be the last to
      // let go of it.
      const bool of_library = !FromProgram(reinterpret_cast<const void*>(destructor));
      if (of_library) engine.AcquireAll();
      engine.current->ends_in_library = of_library;
      destructor(value);
      engine.current->ends_in_library = false;
      if (of_library) engine.ReleaseUnseen();
    }
    if (!any) break;
  }
  // Nobody can ask for the others any more. Those of the main thread are there as long as the
  // process.
  if (engine.current->id > 0) DropKeyValues(engine.current->id);
}

void VisitKeyValues(void (*visit)(void* value, void* data), void* data) {
  auto visit_all = [visit, data](const Values& of_thread) {
    for (pthread_key_t key = 0; key < of_thread.end; ++key) visit(of_thread.of_key[key], data);
  };
  for (int i = 0; i < engine.thread_count(); ++i) visit_all(values[i]);
  visit_all(values[kMaxThreads]);
}

void DropKeyValues(int thread) {
  Values& of_thread = values[thread];
  std::fill_n(of_thread.of_key, of_thread.end, nullptr);
  of_thread.end = 0;
}

void KeepKeyValues() {
  for (pthread_key_t key = 0; key < PTHREAD_KEYS_MAX; ++key) {
    void* const value = JACQUARD_REAL(pthread_getspecific)(key);
    if (value == nullptr) continue;
    first_values.of_key[key] = value;
    first_values.end = key + 1;
  }
  values[0] = first_values;
}

void DropKeys() {
  if (!keys_used && !keys_made) return;
  for (int i = 0; i < engine.thread_count(); ++i) DropKeyValues(i);
  if (first_values.end != 0) values[0] = first_values;
  DropKeyValues(kMaxThreads);
  keys_used = false;
  if (!keys_made) return;
  keys_made = false;
  for (pthread_key_t key = 0; key < keys_end; ++key) {
    keys[key].deleted_by_execution = false;
    if (!keys[key].made_by_execution) continue;
    keys[key] = {};
    JACQUARD_REAL(pthread_key_delete)(key);
  }
  keys_end = 0;
}

}  // namespace jacquard::sim

using jacquard::sim::engine;
using jacquard::sim::keys;
using jacquard::sim::keys_end;
using jacquard::sim::keys_made;
using jacquard::sim::keys_used;
using jacquard::sim::Simulates;
using jacquard::sim::values;

extern "C" {

int pthread_key_create(pthread_key_t* key, void (*destructor)(void*)) noexcept {
  if (engine.OnExecutingThread()) engine.rollback.BeforeWrite(key, sizeof(*key));
  const int error = JACQUARD_REAL(pthread_key_create)(key, destructor);
  if (error != 0 || *key >= PTHREAD_KEYS_MAX) return error;
  // Only code under test makes keys with the arena on. A shared library that keeps one among its
  // data makes it once: its data stays as it is.
  const bool made_by_execution = engine.InExecution() && !jacquard::sim::IsAmongDataThatStays(key);
  keys[*key] = {destructor, made_by_execution, true, engine.IsBeforeProgram(), false};
  if (made_by_execution) {
    keys_made = true;
    keys_end = std::max(keys_end, *key + 1);
  }
  return 0;
}

int pthread_key_delete(pthread_key_t key) noexcept {
  if (key < PTHREAD_KEYS_MAX) {
    for (jacquard::sim::Values& of_thread : values) of_thread.of_key[key] = nullptr;
    if (keys[key].from_before_main && engine.InExecution()) {
      if (keys[key].deleted_by_execution) return EINVAL;
      keys[key].deleted_by_execution = true;
      keys_made = true;
      keys_end = std::max(keys_end, key + 1);
      return 0;
    }
    keys[key] = {};
  }
  return JACQUARD_REAL(pthread_key_delete)(key);
}

void* pthread_getspecific(pthread_key_t key) noexcept {
  if (!Simulates(key)) return JACQUARD_REAL(pthread_getspecific)(key);
  return jacquard::sim::Mine().of_key[key];
}

int pthread_setspecific(pthread_key_t key, const void* value) noexcept {
  if (!Simulates(key)) return JACQUARD_REAL(pthread_setspecific)(key, value);
  if (!jacquard::sim::IsKey(key)) return EINVAL;
  jacquard::sim::Values& mine = jacquard::sim::Mine();
  mine.of_key[key] = const_cast<void*>(value);
  mine.end = std::max(mine.end, key + 1);
  keys_used = true;
  if (engine.hooks_on) engine.current->spin.Reset();
  return 0;
}

}  // extern "C"
