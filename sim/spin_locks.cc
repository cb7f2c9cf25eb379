// POSIX spin locks, as simulated threads use them. Who waits does not spin, but is not run.
//
// The word is the C library's: 1 is free, what is less is taken. By a simulated thread: minus its
// number, minus 1. A word of 0 was locked outside of the execution, or never initialised. A large
// one has been destroyed.
#include <errno.h>
#include <pthread.h>

#include <cstdint>
#include <string>

#include "sim/lock_holders.h"
#include "sim/real.h"
#include "sim/sync.h"

namespace jacquard::sim {
namespace {

constexpr int kFree = 1;
constexpr int kDestroyed = 0x7FFF'FFFF;

int Mine() { return -engine.current->id - 1; }

// As a step's value: 0 free, else the owner's number plus 1.
uint64_t StateOf(int word) { return word == kFree ? 0 : static_cast<uint32_t>(-word); }

// Not through the volatile type, which is for those who really spin.
int& Word(pthread_spinlock_t* lock) { return *const_cast<int*>(lock); }

void CheckLock(const int* word, uintptr_t pc) {
  CheckUse(word, "spin lock", *word == kDestroyed, pc);
}

void Set(int* word, int value) {
  BeforeChange(word);
  *word = value;
  engine.HasWritten(word, sizeof(*word));
}

void Take(int* word, uintptr_t pc, bool waits) {
  Set(word, Mine());
  engine.Acquire(word);
  lock_holders.Take(word, HeldKind::kSpinLock, pc, waits);
}

std::string WhoHolds(int word) {
  if (word == kFree) return "it is not locked";
  if (word >= 0) return "it was locked outside of the execution, or never initialised";
  return "thread " + std::to_string(-word - 1) + " holds it";
}

int Lock(int* word, uintptr_t pc) {
  engine.DecisionPoint(StepKind::kMutexLock, word, pc);
  CheckLock(word, pc);
  if (*word == Mine())
    Misuse("recursive lock", "a thread locks a spin lock that it holds already", pc);
  while (*word != kFree) {
    WaitForLock(WaitReason::kMutex, word, pc, Engine::kNoDeadline);
    CheckLock(word, pc);
  }
  Take(word, pc, true);
  Finish(StepKind::kMutexLock, word, 0, StateOf(*word), pc);
  return 0;
}

int TryLock(int* word, uintptr_t pc) {
  engine.DecisionPointOfAtomic(StepKind::kMutexTryLock, word, pc);
  CheckLock(word, pc);
  const int old = *word;
  if (old == kFree) {
    Take(word, pc, false);
  } else {
    engine.HasRead(word, sizeof(*word), static_cast<uint32_t>(old));
  }
  Finish(StepKind::kMutexTryLock, word, StateOf(old), old == kFree, pc);
  return old == kFree ? 0 : EBUSY;
}

int Unlock(int* word, uintptr_t pc) {
  engine.DecisionPoint(StepKind::kMutexUnlock, word, pc);
  CheckLock(word, pc);
  const int old = *word;
  if (old != Mine())
    Misuse("unlock by a thread that does not hold the spin lock", WhoHolds(old), pc);
  engine.Release(word);
  Set(word, kFree);
  lock_holders.Leave(word, HeldKind::kSpinLock);
  engine.WakeAll(WaitReason::kMutex, word);
  Finish(StepKind::kMutexUnlock, word, StateOf(old), 0, pc);
  return 0;
}

void Destroy(int* word, uintptr_t pc) {
  CheckLock(word, pc);
  if (*word != kFree) Misuse("spin lock destroyed while it is locked", WhoHolds(*word), pc);
  Set(word, kDestroyed);
}

}  // namespace
}  // namespace jacquard::sim

using jacquard::sim::engine;
using jacquard::sim::Word;

// jacquard_... stand for functions of the C library, which hooks.S defines: it goes on there.
extern "C" {

int pthread_spin_init(pthread_spinlock_t* lock, int shared) noexcept {
  jacquard::sim::BeforeInit(&Word(lock), JACQUARD_CALLER);
  return JACQUARD_REAL(pthread_spin_init)(lock, shared);
}

int pthread_spin_destroy(pthread_spinlock_t* lock) noexcept {
  if (!engine.Simulates()) return JACQUARD_REAL(pthread_spin_destroy)(lock);
  jacquard::sim::DestroyAsStep(&Word(lock), JACQUARD_CALLER, jacquard::sim::Destroy);
  return 0;
}

int jacquard_spin_lock(pthread_spinlock_t* lock) noexcept {
  if (!engine.Simulates()) return JACQUARD_REAL(pthread_spin_lock)(lock);
  return jacquard::sim::Lock(&Word(lock), JACQUARD_CALLER);
}

int jacquard_spin_trylock(pthread_spinlock_t* lock) noexcept {
  if (!engine.Simulates()) return JACQUARD_REAL(pthread_spin_trylock)(lock);
  return jacquard::sim::TryLock(&Word(lock), JACQUARD_CALLER);
}

int jacquard_spin_unlock(pthread_spinlock_t* lock) noexcept {
  if (!engine.Simulates()) return JACQUARD_REAL(pthread_spin_unlock)(lock);
  return jacquard::sim::Unlock(&Word(lock), JACQUARD_CALLER);
}

}  // extern "C"
