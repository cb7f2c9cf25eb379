// Small random programs that use the C library's synchronisation, and what one execution of them
// shows: two who know nothing of each other, a model (model.h) and the simulated runtime
// (perform.h), are to agree on what there is to be seen.
#ifndef JACQUARD_TESTS_SIM_SYNCHRONIZATION_PROGRAM_H_
#define JACQUARD_TESTS_SIM_SYNCHRONIZATION_PROGRAM_H_

#include <cstdint>
#include <set>
#include <string>
#include <vector>

namespace jacquard::synchronization {

enum class Act : uint8_t {
  // On a mutex.
  kLock,
  kTryLock,
  kTimedLock,
  kUnlock,
  // On a condition variable, with mutex 0; kAwait until the word is not 0.
  kWait,
  kTimedWait,
  kAwait,
  kSignal,
  kBroadcast,
  // On a reader/writer lock.
  kShare,
  kTryShare,
  kTimedShare,
  kExclude,
  kTryExclude,
  kTimedExclude,
  kRelease,
  // On a semaphore, which begins with 0 units.
  kTake,
  kTryTake,
  kTimedTake,
  kPost,
  // At a barrier for two.
  kArrive,
  // By pthread_once, whose routine adds 1 to the word.
  kOnce,
  // On the word, a futex that begins with 0: sleep if it is 0; wake one, or all; add 1.
  kSleep,
  kTimedSleep,
  kWake,
  kWakeAll,
  kAdd,
};

enum class MutexKind : uint8_t { kPlain, kChecking, kRecursive };

struct Operation {
  Act act;
  int object = 0;
  // Also where the thread does not hold what it gives back, or waits with.
  bool reckless = false;
};

inline constexpr int kObjects = 2;  // of each kind
inline constexpr int kMostThreads = 3;
inline constexpr int kMostOperations = 16;  // of a thread

struct Program {
  MutexKind mutexes[kObjects] = {};
  std::vector<std::vector<Operation>> threads;
};

// What an operation shows that was left out, since the thread held nothing.
inline constexpr int kLeftOut = -1;

// What executions may show: of those that come to an end what each operation has returned, thread
// by thread; and how others end.
struct Outcomes {
  std::set<std::vector<int>> results;
  bool deadlock = false;
  bool misuse = false;
};

// For people, as "0: lock m0; unlock m0 | 1: ...".
std::string Text(const Program& program);
std::string Text(const std::vector<int>& results);

// The same for the same seed.
Program RandomProgram(uint64_t seed);

}  // namespace jacquard::synchronization

#endif  // JACQUARD_TESTS_SIM_SYNCHRONIZATION_PROGRAM_H_
