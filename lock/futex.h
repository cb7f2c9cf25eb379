// Sleep on a 32-bit word until another thread changes it and says so: the futex system call,
// nothing more.
//
// Waking is a hint: a wait may return although nobody woke it, so every caller tests its own
// condition again in a loop. Neither call orders memory; the atomics around it do.
#ifndef JACQUARD_LOCK_FUTEX_H_
#define JACQUARD_LOCK_FUTEX_H_

#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>

namespace jacquard::lock {

using FutexWord = std::atomic<std::uint32_t>;
using FutexDeadline = std::optional<std::chrono::steady_clock::time_point>;

// Sleeps if `word` still is `expected`, compared atomically with going to sleep. Returns false if
// the deadline has passed, true for any other reason: woken, the word differed, a signal, or no
// reason at all. Costs a system call.
bool FutexWait(const FutexWord& word, std::uint32_t expected, FutexDeadline deadline = {});

// Wakes one thread that sleeps on `word`, if there is one. Uses the word's address only as a name:
// the word may have ceased to exist, in which case a stranger who sleeps at the same address wakes
// up for no reason. Costs a system call.
void FutexWakeOne(const FutexWord* word);

}  // namespace jacquard::lock

#endif  // JACQUARD_LOCK_FUTEX_H_
