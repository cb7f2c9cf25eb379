#include "tests/sim/synchronization/program.h"

#include <cstddef>
#include <initializer_list>
#include <iterator>
#include <random>

namespace jacquard::synchronization {
namespace {

const char* NameOf(Act act) {
  static constexpr const char* kNames[] = {
      "lock",       "try-lock",    "timed-lock", "unlock",      "wait",
      "timed-wait", "await",       "signal",     "broadcast",   "share",
      "try-share",  "timed-share", "exclude",    "try-exclude", "timed-exclude",
      "release",    "take",        "try-take",   "timed-take",  "post",
      "arrive",     "once",        "sleep",      "timed-sleep", "wake",
      "wake-all",   "add"};
  return kNames[static_cast<size_t>(act)];
}

const char* NameOf(MutexKind kind) {
  return kind == MutexKind::kPlain      ? "plain"
         : kind == MutexKind::kChecking ? "checking"
                                        : "recursive";
}

// Writes one thread after another.
class Writer {
 public:
  explicit Writer(uint64_t seed) : random_(seed) {}

  Program Write() {
    for (MutexKind& kind : program_.mutexes) {
      constexpr MutexKind kMostlyPlain[] = {MutexKind::kPlain, MutexKind::kPlain, MutexKind::kPlain,
                                            MutexKind::kChecking, MutexKind::kRecursive};
      kind = kMostlyPlain[Below(5)];
    }
    // Few topics in a program: its threads are to have to do with each other.
    const int topics = 1 + Below(2);
    for (int i = 0; i < topics; ++i) topics_.push_back(kTopics[Below(std::ssize(kTopics))]);
    const int threads = 2 + Below(2);
    const int most = threads == 2 ? 6 : 4;
    for (int i = 0; i < threads; ++i) {
      std::vector<Operation>& thread = program_.threads.emplace_back();
      const int length = 1 + Below(most);
      while (std::ssize(thread) < length) WriteGroup(thread, 0);
    }
    return program_;
  }

 private:
  enum class Topic : uint8_t {
    kMutexes,
    kConditions,
    kRwLocks,
    kSemaphores,
    kBarriers,
    kOnces,
    kFutexes
  };
  // Those more often that can do more.
  static constexpr Topic kTopics[] = {Topic::kMutexes,    Topic::kConditions, Topic::kConditions,
                                      Topic::kConditions, Topic::kRwLocks,    Topic::kRwLocks,
                                      Topic::kSemaphores, Topic::kBarriers,   Topic::kOnces,
                                      Topic::kFutexes,    Topic::kFutexes};

  int Below(std::ptrdiff_t bound) {
    return static_cast<int>(random_() % static_cast<uint64_t>(bound));
  }
  bool Percent(int percent) { return Below(100) < percent; }
  Act OneOf(std::initializer_list<Act> acts) { return acts.begin()[Below(std::ssize(acts))]; }
  int Object() { return Percent(75) ? 0 : 1; }

  // One too many is left out.
  void Add(std::vector<Operation>& thread, Act act, int object) {
    const bool reckless = Percent(5);
    if (thread.size() < kMostOperations) thread.push_back({act, object, reckless});
  }

  // Operations that belong together, such as a lock, what is done under it and its end.
  void WriteGroup(std::vector<Operation>& thread, int depth) {
    const int object = Object();
    switch (topics_[static_cast<size_t>(Below(std::ssize(topics_)))]) {
      case Topic::kMutexes:
        Add(thread, OneOf({Act::kLock, Act::kLock, Act::kTryLock, Act::kTimedLock}), object);
        if (depth < 2 && Percent(60)) WriteGroup(thread, depth + 1);
        if (Percent(95)) Add(thread, Act::kUnlock, object);
        break;
      case Topic::kConditions:
        if (Percent(60)) {
          Add(thread, Act::kLock, 0);
          if (Percent(20)) Add(thread, Act::kAdd, 0);
          Add(thread,
              OneOf({Act::kWait, Act::kWait, Act::kTimedWait, Act::kTimedWait, Act::kAwait,
                     Act::kSignal}),
              object);
          Add(thread, Act::kUnlock, 0);
        } else {
          if (Percent(60)) Add(thread, Act::kAdd, 0);
          Add(thread, OneOf({Act::kSignal, Act::kBroadcast}), object);
        }
        break;
      case Topic::kRwLocks:
        Add(thread,
            OneOf({Act::kShare, Act::kShare, Act::kTryShare, Act::kTimedShare, Act::kExclude,
                   Act::kExclude, Act::kTryExclude, Act::kTimedExclude}),
            object);
        if (depth < 2 && Percent(50)) WriteGroup(thread, depth + 1);
        if (Percent(95)) Add(thread, Act::kRelease, object);
        break;
      case Topic::kSemaphores:
        Add(thread,
            OneOf({Act::kTake, Act::kTryTake, Act::kTimedTake, Act::kPost, Act::kPost, Act::kPost}),
            object);
        break;
      case Topic::kBarriers:
        Add(thread, OneOf({Act::kArrive, Act::kAdd}), object);
        break;
      case Topic::kOnces:
        Add(thread, OneOf({Act::kOnce, Act::kOnce, Act::kAdd}), object);
        break;
      case Topic::kFutexes:
        Add(thread,
            OneOf(
                {Act::kSleep, Act::kSleep, Act::kTimedSleep, Act::kWake, Act::kWakeAll, Act::kAdd}),
            object);
        break;
    }
  }

  std::mt19937_64 random_;
  std::vector<Topic> topics_;
  Program program_;
};

}  // namespace

std::string Text(const Program& program) {
  std::string text;
  for (const MutexKind kind : program.mutexes) text += std::string(NameOf(kind)) + " mutex, ";
  for (size_t i = 0; i < program.threads.size(); ++i) {
    text += (i == 0 ? "" : " | ") + std::to_string(i) + ":";
    for (const Operation& operation : program.threads[i]) {
      text += std::string(" ") + NameOf(operation.act) + std::to_string(operation.object) +
              (operation.reckless ? "!" : "") + ";";
    }
  }
  return text;
}

std::string Text(const std::vector<int>& results) {
  std::string text;
  for (const int result : results) text += (text.empty() ? "" : " ") + std::to_string(result);
  return text;
}

Program RandomProgram(uint64_t seed) { return Writer(seed).Write(); }

}  // namespace jacquard::synchronization
