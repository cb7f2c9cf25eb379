#include "stress/torture.h"

#include <fmt/format.h>
#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <string_view>
#include <thread>

#include "sim/native.h"
#include "sim/runtime.h"
#include "stress/delays.h"

namespace jacquard {
namespace {

using std::chrono::steady_clock;

uint64_t Now() {
  return static_cast<uint64_t>(
      std::chrono::duration_cast<std::chrono::nanoseconds>(steady_clock::now().time_since_epoch())
          .count());
}

double Seconds(uint64_t nanoseconds) { return static_cast<double>(nanoseconds) * 1e-9; }

// Of ThreadCounts::operation, where a thread is in none.
constexpr uint64_t kBegins = ThreadCounts::kOutside - 1;
constexpr uint64_t kEnds = ThreadCounts::kOutside - 2;

constexpr auto kPause = std::chrono::milliseconds(100);
constexpr auto kWatchEvery = std::chrono::milliseconds(20);

class Torturer {
 public:
  Torturer(const ScenarioType& type, const TortureOptions& options, StressStatistics& statistics)
      : type_(type), options_(options), statistics_(statistics), random_(options.seed) {
    for (int operation = 0; operation < type.operation_count; ++operation) {
      const uint32_t weight =
          options.weights.empty() ? 1 : options.weights[static_cast<size_t>(operation)];
      choices_.insert(choices_.end(), weight, operation);
    }
    SetNativeFailureHandler([this](std::string_view rule, std::string_view message) {
      const int thread = CurrentThread();
      Fail(fmt::format(
               "violated: {}: {} ({})\n", rule, message,
               thread < 0 ? "when all threads were done" : fmt::format("on thread {}", thread)),
           fmt::format("native {}", rule));
    });
  }
  ~Torturer() { SetNativeFailureHandler(nullptr); }

  void Run() {
    uint64_t last_pause = Now();
    while (!IsStopping()) {
      RunRound(last_pause);
      if (options_.churn) EndThreads();
      statistics_.rounds.Add(1);
      if (IsPauseDue(last_pause) && !IsStopping()) {
        statistics_.pauses.Add(1);
        std::this_thread::sleep_for(kPause);
        last_pause = Now();
      }
    }
    EndThreads();
  }

 private:
  bool IsStopping() const { return statistics_.stop.load(std::memory_order_relaxed); }
  bool IsPauseDue(uint64_t last_pause) const {
    return options_.pause_every > 0 && Seconds(Now() - last_pause) > options_.pause_every;
  }

  // ---- the coordinator

  void RunRound(uint64_t last_pause) {
    scenario_ = type_.create();
    cut_short_.store(false, std::memory_order_relaxed);  // the mutex orders it
    {
      std::unique_lock lock(mutex_);
      limit_ = options_.operations != 0 ? options_.operations : uint64_t{16} << random_.Next() % 13;
      ++round_;
      running_ = options_.threads;
      for (int t = static_cast<int>(threads_.size()); t < options_.threads; ++t)
        threads_.emplace_back(&Torturer::Work, this, t, round_ - 1);
      start_.notify_all();
      while (!done_.wait_for(lock, kWatchEvery, [this] { return running_ == 0; })) {
        // Relaxed: a hint to end soon.
        if (IsStopping() || IsPauseDue(last_pause))
          cut_short_.store(true, std::memory_order_relaxed);
        Watch();
      }
    }
    SetNativeThread(-1, 0);
    if (type_.check_invariant != nullptr) type_.check_invariant(scenario_);
    if (type_.check_final != nullptr) type_.check_final(scenario_);
    type_.destroy(scenario_);
  }

  void EndThreads() {
    {
      const std::lock_guard lock(mutex_);
      leaving_ = true;
    }
    start_.notify_all();
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
    leaving_ = false;  // there is nobody else
  }

  // Fails if somebody has waited for too long. Counted in calls of this: a process that was stopped
  // for a while, or got no processor, has not waited. The mutex is held, which nobody needs who
  // waits.
  void Watch() {
    for (int t = 0; t < options_.threads; ++t) {
      const ThreadCounts& thread = statistics_.threads[t];
      Watched& watched = watched_[t];
      const uint64_t since = thread.since.Get();
      if (thread.operation.Get() == ThreadCounts::kOutside || since != watched.since) {
        watched = {since, 0};
      } else if (++watched.times * kWatchEvery >
                 std::chrono::duration<double>(options_.wait_limit)) {
        Fail(fmt::format("thread {} has not come back for {} s\n", t, options_.wait_limit),
             "native wait");
      }
    }
  }

  // ---- the threads

  void Work(int thread, uint64_t last_round) {
    if (options_.pin) Pin(thread);
    for (;;) {
      uint64_t limit;
      {
        std::unique_lock lock(mutex_);
        start_.wait(lock, [&] { return leaving_ || round_ != last_round; });
        if (leaving_) return;
        last_round = round_;
        limit = limit_;
      }
      // A failure's report names the round.
      RunThread(thread, limit, options_.seed + last_round * 0x9e3779b97f4a7c15);
      const std::lock_guard lock(mutex_);
      if (--running_ == 0) done_.notify_one();
    }
  }

  static void Pin(int thread) {
    cpu_set_t allowed;
    if (sched_getaffinity(0, sizeof(allowed), &allowed) != 0) return;
    int place = thread % CPU_COUNT(&allowed);
    for (int processor = 0; processor < CPU_SETSIZE; ++processor) {
      if (!CPU_ISSET(processor, &allowed) || place-- != 0) continue;
      cpu_set_t one;
      CPU_ZERO(&one);
      CPU_SET(processor, &one);
      pthread_setaffinity_np(pthread_self(), sizeof(one), &one);
      return;
    }
  }

  void RunThread(int thread, uint64_t limit, uint64_t round_seed) {
    const uint64_t own_seed = round_seed * kMaxInputThreads + static_cast<uint64_t>(thread);
    SetNativeThread(thread, own_seed);
    Delays random(own_seed);
    ThreadCounts& counts = statistics_.threads[thread];
    const auto enter = [&counts](uint64_t place) {
      counts.since.Set(Now());
      counts.operation.Set(place);
    };
    enter(kBegins);
    if (type_.begin_thread != nullptr) type_.begin_thread(scenario_);
    counts.operation.Set(ThreadCounts::kOutside);
    for (uint64_t n = 0; n < limit && !cut_short_.load(std::memory_order_relaxed); ++n) {
      const uint64_t chance = random.Next();
      if (options_.delays && chance % 16 == 0) random.Perturb();
      const int number = choices_[(chance >> 8) % choices_.size()];
      const OperationType& operation = type_.operations[number];
      int arguments[kMaxArguments] = {};
      for (int i = 0; i < operation.arity; ++i) {
        arguments[i] =
            static_cast<int>(random.Next() % static_cast<uint64_t>(operation.arguments[i].count));
      }
      const uint64_t begin = Now();
      counts.since.Set(begin);
      counts.operation.Set(static_cast<uint64_t>(number));
      const char* const result = [&] {
        const DelayAccesses delayed(options_.delays ? &random : nullptr);
        return operation.run(scenario_, operation.method, arguments);
      }();
      counts.operation.Set(ThreadCounts::kOutside);
      counts.operations[number].Count(result, Now() - begin);
      if (type_.check_after_operation != nullptr) type_.check_after_operation(scenario_, thread);
    }
    enter(kEnds);
    if (type_.end_thread != nullptr) type_.end_thread(scenario_);
    counts.operation.Set(ThreadCounts::kOutside);
    counts.delayed_accesses.Add(random.accesses());
  }

  // ---- failures

  [[noreturn]] void Fail(const std::string& what, const std::string& signature) {
    // Only the first one counts; other threads that fail wait for the end of the process. Relaxed:
    // nothing is published by it.
    if (failed_.exchange(true, std::memory_order_relaxed)) {
      for (;;) std::this_thread::sleep_for(std::chrono::hours(1));
    }
    std::string report = what;
    const uint64_t now = Now();
    for (int t = 0; t < options_.threads; ++t)
      report += fmt::format("  thread {}: {}\n", t, Where(t, now));
    report += fmt::format("Round {} of seed {}\n", statistics_.rounds.Get() + 1, options_.seed);
    report += fmt::format("Signature: {}\n", signature);
    options_.on_failure(report);
    std::abort();
  }

  std::string Where(int thread, uint64_t now) const {
    const ThreadCounts& counts = statistics_.threads[thread];
    const uint64_t place = counts.operation.Get();
    const uint64_t since = counts.since.Get();
    const double seconds = since < now ? Seconds(now - since) : 0;
    std::string text = place == ThreadCounts::kOutside ? "between two operations"
                       : place == kBegins ? fmt::format("begins since {:.3g} s", seconds)
                       : place == kEnds   ? fmt::format("ends since {:.3g} s", seconds)
                                          : fmt::format("in {} since {:.3g} s",
                                                        type_.operations[place].name, seconds);
    if (type_.held_by != nullptr) {
      std::string held;
      type_.held_by(scenario_, thread, &held);
      text += "; holds " + (held.empty() ? "nothing" : held);
    }
    return text;
  }

  const ScenarioType& type_;
  const TortureOptions& options_;
  StressStatistics& statistics_;
  Delays random_;             // the coordinator's
  std::vector<int> choices_;  // each operation as often as its weight
  std::vector<std::thread> threads_;

  std::mutex mutex_;
  std::condition_variable start_;
  std::condition_variable done_;
  uint64_t round_ = 0;    // guarded by mutex_
  uint64_t limit_ = 0;    // guarded by mutex_: operations of each thread in it
  int running_ = 0;       // guarded by mutex_: threads that have not ended
  bool leaving_ = false;  // guarded by mutex_

  // For how many looks of the coordinator a thread has been where it is.
  struct Watched {
    uint64_t since = 0;
    int64_t times = 0;
  };
  Watched watched_[kMaxInputThreads];

  void* scenario_ = nullptr;  // written while no thread runs
  std::atomic<bool> cut_short_ = false;
  std::atomic<bool> failed_ = false;
};

}  // namespace

void Torture(const ScenarioType& type, const TortureOptions& options,
             StressStatistics& statistics) {
  Torturer(type, options, statistics).Run();
}

}  // namespace jacquard
