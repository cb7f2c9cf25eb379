// The native executor: parked threads, a common start, and a coordinator that waits with a limit.
#include "stress/native_executor.h"

#include <fmt/format.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "fuzzers/scenario_type.h"
#include "fuzzers/text.h"
#include "sim/native.h"
#include "sim/runtime.h"
#include "stress/delays.h"

// A race ends the process: whoever watches it (the engine, a stress program's parent) knows by that
// which input it was. And libFuzzer allocates memory when it writes down the input of an abort,
// which is in a signal's handler: a report of that would wait for the one that it comes from.
extern "C" const char* __tsan_default_options();
extern "C" const char* __tsan_default_options() {
  return "halt_on_error=1:second_deadlock_stack=1:report_signal_unsafe=0";
}

namespace jacquard {
namespace {

using fuzzers::Input;

// Which operation a thread is in: its position in the input, or one of these.
constexpr int kBefore = -1;
constexpr int kAfter = 1000;

}  // namespace

struct NativeExecutor::State {
  State(const fuzzers::Codec& c, NativeOptions o)
      : codec(c), type(c.type()), options(std::move(o)), workers(kMaxInputThreads) {}

  struct Worker {
    std::thread thread;
    // Where the thread is, for reports.
    std::atomic<int> position = kBefore;
  };

  const fuzzers::Codec& codec;
  const ScenarioType& type;
  NativeOptions options;

  std::mutex mutex;
  std::condition_variable start;
  std::condition_variable done;
  uint64_t round = 0;     // guarded by mutex: which execution
  int participants = 0;   // guarded by mutex: threads of this execution; 0 between executions
  int running = 0;        // guarded by mutex: threads that have not ended
  bool stopping = false;  // guarded by mutex
  std::vector<Worker> workers;
  int started = 0;  // workers with a thread

  // Of the current execution; written while no thread runs.
  const Input* input = nullptr;
  uint64_t seed = 0;
  void* scenario = nullptr;
  std::atomic<int> arrived = 0;  // threads at the common start

  std::atomic<bool> failed = false;

  void Work(int thread);
  void RunThread(int thread);
  void Fail(const std::string& what, const std::string& signature);
  std::string Where(int thread) const;
};

void NativeExecutor::State::RunThread(int thread) {
  const auto calls = input->calls(thread);
  const uint64_t own_seed = seed * kMaxInputThreads + static_cast<uint64_t>(thread);
  SetNativeThread(thread, own_seed);
  Delays delays(own_seed);
  // All start together. Relaxed: only brings the threads close; the mutex has ordered everything
  // else.
  arrived.fetch_add(1, std::memory_order_relaxed);
  for (int i = 0; arrived.load(std::memory_order_relaxed) < input->threads(); ++i) {
    if (i % 64 == 63) {
      std::this_thread::yield();  // there may be fewer processors than threads
    } else {
      __builtin_ia32_pause();
    }
  }
  std::atomic<int>& position = workers[thread].position;
  if (type.begin_thread != nullptr) type.begin_thread(scenario);
  for (size_t i = 0; i < calls.size(); ++i) {
    if (options.delays) delays.Perturb();
    // Relaxed: a hint for a report.
    position.store(static_cast<int>(i), std::memory_order_relaxed);
    const OperationType& operation = type.operations[calls[i].operation];
    const int arguments[kMaxArguments] = {calls[i].arguments[0], calls[i].arguments[1],
                                          calls[i].arguments[2]};
    BeginOperation(calls[i].operation);
    {
      const DelayAccesses delayed(options.delays ? &delays : nullptr);
      operation.run(scenario, operation.method, arguments);
    }
    EndOperation();
    if (type.check_after_operation != nullptr) type.check_after_operation(scenario, thread);
  }
  position.store(kAfter, std::memory_order_relaxed);  // as above
  if (type.end_thread != nullptr) type.end_thread(scenario);
}

void NativeExecutor::State::Work(int thread) {
  uint64_t last_round = 0;
  for (;;) {
    {
      std::unique_lock lock(mutex);
      start.wait(lock, [&] { return stopping || (round != last_round && thread < participants); });
      if (stopping) return;
      last_round = round;
    }
    RunThread(thread);
    const std::lock_guard lock(mutex);
    if (--running == 0) done.notify_one();
  }
}

std::string NativeExecutor::State::Where(int thread) const {
  const int position = workers[thread].position.load(std::memory_order_relaxed);  // see RunThread
  if (position == kBefore) return "before its first operation";
  if (position == kAfter) return "after its last operation";
  char buffer[256];
  return fmt::format("in operation {}: {}", position + 1,
                     FormatCall(type, input->calls(thread)[position], buffer));
}

void NativeExecutor::State::Fail(const std::string& what, const std::string& signature) {
  // Only the first failure counts; other threads that fail wait for the end of the process.
  // Relaxed: nothing is published by it.
  if (failed.exchange(true, std::memory_order_relaxed)) {
    for (;;) std::this_thread::sleep_for(std::chrono::hours(1));
  }
  std::string report = what;
  for (int t = 0; t < input->threads(); ++t)
    report += fmt::format("  thread {}: {}\n", t, Where(t));
  report += fmt::format("Seed of the delays: {}\n", seed);
  report += "Input:\n" + FormatText(codec, *input);
  report += fmt::format("Signature: {}\n", signature);
  options.on_failure(report, signature);
  std::abort();
}

NativeExecutor::NativeExecutor(const fuzzers::Codec& codec, NativeOptions options)
    : state_(new State(codec, std::move(options))) {
  SetNativeFailureHandler([state = state_](std::string_view rule, std::string_view message) {
    const int thread = CurrentThread();
    const std::string who =
        thread < 0 ? "when all threads were done" : fmt::format("on thread {}", thread);
    state->Fail(fmt::format("violated: {}: {} ({})\n", rule, message, who),
                fmt::format("native {}", rule));
  });
}

NativeExecutor::~NativeExecutor() {
  {
    const std::lock_guard lock(state_->mutex);
    state_->stopping = true;
  }
  state_->start.notify_all();
  for (State::Worker& worker : state_->workers) {
    if (worker.thread.joinable()) worker.thread.join();
  }
  SetNativeFailureHandler(nullptr);
  delete state_;
}

void NativeExecutor::Execute(const Input& input, uint64_t seed) {
  State& s = *state_;
  s.scenario = s.type.create();
  for (int t = 0; t < input.threads(); ++t) {
    s.workers[t].position.store(kBefore, std::memory_order_relaxed);  // see RunThread
  }
  {
    std::unique_lock lock(s.mutex);
    s.input = &input;
    s.seed = seed;
    s.arrived.store(0, std::memory_order_relaxed);  // the mutex orders it
    s.running = input.threads();
    s.participants = input.threads();
    ++s.round;
    for (; s.started < input.threads(); ++s.started) {
      s.workers[s.started].thread = std::thread(&State::Work, &s, s.started);
    }
    s.start.notify_all();
    const auto limit = std::chrono::duration<double>(s.options.deadlock_seconds);
    if (!s.done.wait_for(lock, limit, [&] { return s.running == 0; })) {
      lock.unlock();
      s.Fail(fmt::format("deadlock: not all threads have ended after {} seconds\n",
                         s.options.deadlock_seconds),
             "native deadlock");
    }
    // Who wakes up late finds nothing to do: the input and the scenario may be gone.
    s.participants = 0;
  }
  SetNativeThread(-1, 0);
  if (s.type.check_invariant != nullptr) s.type.check_invariant(s.scenario);
  if (s.type.check_final != nullptr) s.type.check_final(s.scenario);
  s.type.destroy(s.scenario);
}

}  // namespace jacquard
