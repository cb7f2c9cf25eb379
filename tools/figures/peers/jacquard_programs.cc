// What Jacquard is compared with Relacy by: jacquard_programs NAME EXECUTIONS [std_thread].
//
// The threads are those of a scenario, or, with std_thread, ordinary ones that a body starts and
// joins. The memory is weak, data races are looked for, and the schedule is a random walk.
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>
#include <thread>

#include "sim/explore.h"
#include "sim/random_walk.h"
#include "sim/runtime.h"

namespace jacquard {
namespace {

struct SpinLock {
  static constexpr int kThreads = 2;
  std::atomic<int> taken = 0;
  int count = 0;

  void Run(int /*thread*/) {
    // Acquire and release: pair with each other.
    while (taken.exchange(1, std::memory_order_acquire) != 0) {
    }
    count = count + 1;
    taken.store(0, std::memory_order_release);
  }
};

struct TicketLock {
  static constexpr int kThreads = 3;
  std::atomic<int> next = 0;
  std::atomic<int> serving = 0;
  int count = 0;

  void Run(int /*thread*/) {
    const int mine = next.fetch_add(1, std::memory_order_relaxed);
    // Acquire and release: pair with each other.
    while (serving.load(std::memory_order_acquire) != mine) {
    }
    count = count + 1;
    serving.store(mine + 1, std::memory_order_release);
  }
};

// Two readers and a writer.
struct ReferenceCount {
  static constexpr int kThreads = 3;
  static constexpr int kExcluded = 0x4000;
  std::atomic<int> references = 1;
  std::atomic<int> sequence = 0;
  int data = 0;

  void Run(int thread) { thread < 2 ? Read() : Write(); }
  // Acquire and release: pair with each other, on both words.
  void Read() {
    const int begin = sequence.load(std::memory_order_acquire);
    int seen = references.load(std::memory_order_relaxed);
    do {
      if (seen == 0 || seen >= kExcluded - 1) return;
    } while (!references.compare_exchange_strong(seen, seen + 1, std::memory_order_acquire,
                                                 std::memory_order_relaxed));
    if (sequence.load(std::memory_order_relaxed) == begin) Check(data == begin, "old data");
    references.fetch_sub(1, std::memory_order_release);
  }
  void Write() {
    references.fetch_add(kExcluded, std::memory_order_acquire);
    while (references.load(std::memory_order_acquire) != kExcluded + 1) {
    }
    data = 1;
    sequence.store(1, std::memory_order_release);
    references.fetch_sub(kExcluded, std::memory_order_release);
  }
};

struct StoreBuffering {
  static constexpr int kThreads = 2;
  std::atomic<int> words[2] = {0, 0};
  int read[2] = {0, 0};

  void Run(int thread) {
    words[thread].store(1);
    read[thread] = words[1 - thread].load();
  }
};

template <int kCount>
struct Operations {
  static constexpr int kThreads = kCount;
  std::atomic<int> word = 0;

  void Run(int /*thread*/) {
    for (int i = 0; i < 100; ++i) word.fetch_add(1, std::memory_order_acq_rel);
  }
};

template <class State>
class Scenario : public Program {
 public:
  int ThreadCount() const override { return State::kThreads; }
  bool Observes() override { return false; }
  void Begin() override { new (&state_) State; }
  void RunThread(int thread) override { state_.Run(thread); }

 private:
  State state_;
};

template <class State>
void RunOnStdThreads() {
  State state;
  std::thread threads[State::kThreads];
  for (int i = 0; i < State::kThreads; ++i) threads[i] = std::thread([&state, i] { state.Run(i); });
  for (std::thread& thread : threads) thread.join();
}

template <class State>
bool Run(std::uint64_t executions, bool std_thread) {
  RandomWalk walk(1);
  ExploreOptions options;
  options.executions = executions;
  Scenario<State> scenario;
  const ExploreResult result = std_thread ? Explore(RunOnStdThreads<State>, walk, options)
                                          : Explore(scenario, walk, options);
  if (!result.verdict.passed()) std::fprintf(stderr, "%s\n", result.verdict.message.c_str());
  return result.verdict.passed() && result.executions == executions;
}

struct Entry {
  const char* name;
  bool (*run)(std::uint64_t executions, bool std_thread);
};

constexpr Entry kEntries[] = {
    {"spin_lock", Run<SpinLock>},
    {"ticket_lock", Run<TicketLock>},
    {"reference_count", Run<ReferenceCount>},
    {"store_buffering", Run<StoreBuffering>},
    {"operations_2", Run<Operations<2>>},
    {"operations_4", Run<Operations<4>>},
    {"operations_8", Run<Operations<8>>},
};

}  // namespace
}  // namespace jacquard

int main(int argc, char** argv) {
  const bool std_thread = argc == 4 && std::strcmp(argv[3], "std_thread") == 0;
  if (argc == 3 || std_thread) {
    for (const jacquard::Entry& entry : jacquard::kEntries) {
      if (std::strcmp(argv[1], entry.name) != 0) continue;
      return entry.run(std::strtoull(argv[2], nullptr, 10), std_thread) ? 0 : 1;
    }
  }
  std::fprintf(stderr, "jacquard_programs NAME EXECUTIONS [std_thread]\n");
  return 2;
}
