#include "tests/sim/synchronization/model.h"

#include <errno.h>

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <set>
#include <utility>
#include <vector>

namespace jacquard::synchronization {
namespace {

constexpr int kNobody = -1;

// How far a thread is with its next operation.
enum class Stage : uint8_t {
  kBegins,
  kIsToSleep,  // of kAwait: the word was 0
  kSleeps,     // until it is woken, or its time is over
  kIsWoken,    // and is to get its mutex again, or to be told
  kIsTooLate,  // the same, as its time is over
  kInRoutine,  // of pthread_once
  kHasPassed,  // the barrier
};

struct Thread {
  size_t next = 0;
  Stage stage = Stage::kBegins;
  std::vector<int> results;
  auto operator<=>(const Thread&) const = default;
};

struct Mutex {
  int owner = kNobody;
  int depth = 0;
  auto operator<=>(const Mutex&) const = default;
};

struct RwLock {
  int writer = kNobody;
  std::array<int, kMostThreads> readers = {};  // by thread: so many times
  bool HasReaders() const { return readers != std::array<int, kMostThreads>{}; }
  auto operator<=>(const RwLock&) const = default;
};

enum class Once : uint8_t { kNever, kNow, kDone };

struct State {
  std::vector<Thread> threads;
  std::array<Mutex, kObjects> mutexes = {};
  std::array<RwLock, kObjects> rwlocks = {};
  std::array<int, kObjects> units = {};
  std::array<int, kObjects> arrived = {};
  std::array<Once, kObjects> onces = {};
  std::array<int, kObjects> words = {};
  auto operator<=>(const State&) const = default;
};

class Model {
 public:
  Model(const Program& program, bool spurious) : program_(program), spurious_(spurious) {}

  Outcomes Solve() {
    State state;
    state.threads.resize(program_.threads.size());
    Visit(state);
    while (!left_.empty()) {
      const State next = *left_.begin();
      left_.erase(left_.begin());
      Expand(next);
    }
    return std::move(outcomes_);
  }

 private:
  void Visit(State state) {
    if (seen_.insert(state).second) left_.insert(std::move(state));
  }

  void Expand(const State& state) {
    bool ended = true;
    moved_ = false;
    for (size_t id = 0; id < state.threads.size(); ++id) {
      if (state.threads[id].next == program_.threads[id].size()) continue;
      ended = false;
      Step(state, static_cast<int>(id));
    }
    if (ended) {
      std::vector<int> results;
      for (const Thread& thread : state.threads)
        results.insert(results.end(), thread.results.begin(), thread.results.end());
      outcomes_.results.insert(std::move(results));
    } else if (!moved_) {
      outcomes_.deadlock = true;
    }
  }

  // The thread's operation is over.
  void Return(State state, int id, int result) {
    Thread& thread = state.threads[static_cast<size_t>(id)];
    ++thread.next;
    thread.stage = Stage::kBegins;
    thread.results.push_back(result);
    moved_ = true;
    Visit(std::move(state));
  }
  void Enter(State state, int id, Stage stage) {
    state.threads[static_cast<size_t>(id)].stage = stage;
    moved_ = true;
    Visit(std::move(state));
  }
  void Misuse() {
    outcomes_.misuse = true;
    moved_ = true;
  }

  const Operation& OperationOf(const State& state, int id) const {
    const auto thread = static_cast<size_t>(id);
    return program_.threads[thread][state.threads[thread].next];
  }

  static bool Holds(const State& state, int id, const Operation& operation) {
    const auto object = static_cast<size_t>(operation.object);
    if (operation.act == Act::kRelease) {
      const RwLock& lock = state.rwlocks[object];
      return lock.writer == id || lock.readers[static_cast<size_t>(id)] != 0;
    }
    return state.mutexes[operation.act == Act::kUnlock ? object : 0].owner == id;
  }

  void Step(const State& state, int id) {
    const Operation& operation = OperationOf(state, id);
    const Act act = operation.act;
    if (act >= Act::kLock && act <= Act::kTimedLock) return LockMutex(state, id);
    if (act >= Act::kShare && act <= Act::kTimedExclude) return LockRwLock(state, id);
    if (act >= Act::kTake && act <= Act::kTimedTake) return TakeUnit(state, id);
    if (act >= Act::kWait && act <= Act::kAwait) return WaitForCondition(state, id);
    if (act == Act::kSleep || act == Act::kTimedSleep) return Sleep(state, id);
    if (act == Act::kUnlock) return Unlock(state, id);
    if (act == Act::kRelease) return Release(state, id);
    if (act == Act::kOnce) return CallOnce(state, id);
    if (act == Act::kArrive) return Arrive(state, id);
    if (act == Act::kSignal || act == Act::kBroadcast) return WakeSome(state, id);
    if (act == Act::kWake || act == Act::kWakeAll) return WakeSome(state, id);
    State next = state;
    const auto object = static_cast<size_t>(operation.object);
    if (act == Act::kPost) {
      ++next.units[object];
      return Return(std::move(next), id, 0);
    }
    const int old = next.words[object]++;
    Return(std::move(next), id, old);
  }

  void LockMutex(const State& state, int id) {
    const Operation& operation = OperationOf(state, id);
    const auto object = static_cast<size_t>(operation.object);
    const MutexKind kind = program_.mutexes[object];
    State next = state;
    Mutex& mutex = next.mutexes[object];
    if (mutex.owner == kNobody || (mutex.owner == id && kind == MutexKind::kRecursive)) {
      mutex.owner = id;
      ++mutex.depth;
      return Return(std::move(next), id, 0);
    }
    if (operation.act == Act::kTryLock) return Return(std::move(next), id, EBUSY);
    if (mutex.owner == id) {
      if (kind == MutexKind::kChecking) return Return(std::move(next), id, EDEADLK);
      if (operation.act == Act::kLock) return Misuse();
    }
    if (operation.act == Act::kTimedLock) Return(std::move(next), id, ETIMEDOUT);
  }

  void Unlock(const State& state, int id) {
    const Operation& operation = OperationOf(state, id);
    const auto object = static_cast<size_t>(operation.object);
    if (!Holds(state, id, operation)) {
      if (!operation.reckless) return Return(state, id, kLeftOut);
      // POSIX has an error for recursive ones, too: docs/threads.md says why it is misuse.
      return program_.mutexes[object] == MutexKind::kChecking ? Return(state, id, EPERM) : Misuse();
    }
    State next = state;
    Mutex& mutex = next.mutexes[object];
    if (--mutex.depth == 0) mutex.owner = kNobody;
    Return(std::move(next), id, 0);
  }

  void WaitForCondition(const State& state, int id) {
    const Operation& operation = OperationOf(state, id);
    const Act act = operation.act;
    const Stage stage = state.threads[static_cast<size_t>(id)].stage;
    State next = state;
    Mutex& mutex = next.mutexes[0];
    switch (stage) {
      case Stage::kBegins:
        if (mutex.owner != id) {
          if (operation.reckless) return Misuse();
          return Return(std::move(next), id, kLeftOut);
        }
        if (act == Act::kAwait) {
          const bool is_there = state.words[static_cast<size_t>(operation.object)] != 0;
          if (is_there) return Return(std::move(next), id, 0);
          return Enter(std::move(next), id, Stage::kIsToSleep);
        }
        [[fallthrough]];
      case Stage::kIsToSleep:
        if (--mutex.depth == 0) mutex.owner = kNobody;  // only one of several times
        return Enter(std::move(next), id, Stage::kSleeps);
      case Stage::kSleeps:
        if (act == Act::kTimedWait) Enter(next, id, Stage::kIsTooLate);
        if (spurious_) Enter(std::move(next), id, Stage::kIsWoken);
        return;
      default:
        if (mutex.owner != kNobody && mutex.owner != id) return;
        mutex = {id, mutex.depth + 1};
        if (act == Act::kAwait) return Enter(std::move(next), id, Stage::kBegins);
        return Return(std::move(next), id, stage == Stage::kIsTooLate ? ETIMEDOUT : 0);
    }
  }

  void Sleep(const State& state, int id) {
    const Operation& operation = OperationOf(state, id);
    switch (state.threads[static_cast<size_t>(id)].stage) {
      case Stage::kBegins:
        if (state.words[static_cast<size_t>(operation.object)] != 0)
          return Return(state, id, EAGAIN);
        return Enter(state, id, Stage::kSleeps);
      case Stage::kSleeps:
        if (operation.act == Act::kTimedSleep) Return(state, id, ETIMEDOUT);
        if (spurious_) Return(state, id, 0);
        return;
      default:
        return Return(state, id, 0);
    }
  }

  static bool IsWaiting(Act act) { return act >= Act::kWait && act <= Act::kAwait; }
  static bool IsSleeping(Act act) { return act == Act::kSleep || act == Act::kTimedSleep; }

  // Of a futex, returns how many there were.
  void WakeSome(const State& state, int id) {
    const Operation& operation = OperationOf(state, id);
    const bool is_futex = operation.act == Act::kWake || operation.act == Act::kWakeAll;
    std::vector<size_t> sleepers;
    for (size_t i = 0; i < state.threads.size(); ++i) {
      if (state.threads[i].stage != Stage::kSleeps) continue;
      const Operation& other = OperationOf(state, static_cast<int>(i));
      if (other.object != operation.object) continue;
      if (is_futex ? IsSleeping(other.act) : IsWaiting(other.act)) sleepers.push_back(i);
    }
    const bool all = operation.act == Act::kBroadcast || operation.act == Act::kWakeAll;
    if (sleepers.empty() || all) {
      State next = state;
      for (const size_t sleeper : sleepers) next.threads[sleeper].stage = Stage::kIsWoken;
      return Return(std::move(next), id, is_futex ? static_cast<int>(sleepers.size()) : 0);
    }
    for (const size_t sleeper : sleepers) {
      State next = state;
      next.threads[sleeper].stage = Stage::kIsWoken;
      Return(std::move(next), id, is_futex ? 1 : 0);
    }
  }

  void LockRwLock(const State& state, int id) {
    const Operation& operation = OperationOf(state, id);
    const Act act = operation.act;
    State next = state;
    RwLock& lock = next.rwlocks[static_cast<size_t>(operation.object)];
    const bool shares = act <= Act::kTimedShare;
    if (lock.writer == kNobody && (shares || !lock.HasReaders())) {
      if (shares) {
        ++lock.readers[static_cast<size_t>(id)];
      } else {
        lock.writer = id;
      }
      return Return(std::move(next), id, 0);
    }
    if (act == Act::kTryShare || act == Act::kTryExclude) return Return(std::move(next), id, EBUSY);
    if (lock.writer == id) return Return(std::move(next), id, EDEADLK);
    if (act == Act::kTimedShare || act == Act::kTimedExclude)
      Return(std::move(next), id, ETIMEDOUT);
  }

  void Release(const State& state, int id) {
    const Operation& operation = OperationOf(state, id);
    if (!Holds(state, id, operation))
      return operation.reckless ? Misuse() : Return(state, id, kLeftOut);
    State next = state;
    RwLock& lock = next.rwlocks[static_cast<size_t>(operation.object)];
    if (lock.writer == id) {
      lock.writer = kNobody;
    } else {
      --lock.readers[static_cast<size_t>(id)];
    }
    Return(std::move(next), id, 0);
  }

  void TakeUnit(const State& state, int id) {
    const Operation& operation = OperationOf(state, id);
    State next = state;
    int& units = next.units[static_cast<size_t>(operation.object)];
    if (units > 0) {
      --units;
      return Return(std::move(next), id, 0);
    }
    if (operation.act == Act::kTryTake) return Return(std::move(next), id, EAGAIN);
    if (operation.act == Act::kTimedTake) Return(std::move(next), id, ETIMEDOUT);
  }

  void Arrive(const State& state, int id) {
    const Operation& operation = OperationOf(state, id);
    const auto object = static_cast<size_t>(operation.object);
    const Stage stage = state.threads[static_cast<size_t>(id)].stage;
    if (stage == Stage::kHasPassed) return Return(state, id, 0);
    if (stage == Stage::kSleeps) return;
    State next = state;
    if (++next.arrived[object] < 2) return Enter(std::move(next), id, Stage::kSleeps);
    next.arrived[object] = 0;
    for (size_t i = 0; i < next.threads.size(); ++i) {
      if (next.threads[i].stage != Stage::kSleeps) continue;
      const Operation& other = OperationOf(next, static_cast<int>(i));
      if (other.act == Act::kArrive && other.object == operation.object)
        next.threads[i].stage = Stage::kHasPassed;
    }
    Return(std::move(next), id, 0);
  }

  // Returns whether it was this thread that called the routine.
  void CallOnce(const State& state, int id) {
    const auto object = static_cast<size_t>(OperationOf(state, id).object);
    State next = state;
    if (state.threads[static_cast<size_t>(id)].stage == Stage::kInRoutine) {
      ++next.words[object];
      next.onces[object] = Once::kDone;
      return Return(std::move(next), id, 1);
    }
    if (next.onces[object] == Once::kDone) return Return(std::move(next), id, 0);
    if (next.onces[object] == Once::kNow) return;
    next.onces[object] = Once::kNow;
    Enter(std::move(next), id, Stage::kInRoutine);
  }

  const Program& program_;
  const bool spurious_;
  std::set<State> seen_;
  std::set<State> left_;
  bool moved_ = false;  // somebody could, in the state that is expanded
  Outcomes outcomes_;
};

}  // namespace

Outcomes SolveByModel(const Program& program, bool spurious) {
  return Model(program, spurious).Solve();
}

}  // namespace jacquard::synchronization
