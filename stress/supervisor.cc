#include "stress/supervisor.h"

#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <new>
#include <nlohmann/json.hpp>
#include <optional>
#include <thread>
#include <vector>

#include "stress/statistics.h"

namespace jacquard {
namespace {

using std::chrono::steady_clock;

constexpr int kExitFailure = 1;
constexpr auto kTick = std::chrono::milliseconds(20);
// So long the threads may take to come to their end, beyond what one operation may.
constexpr double kGrace = 10;

volatile std::sig_atomic_t interrupted = 0;
void Interrupt(int /*signal*/) { interrupted = 1; }

double SecondsSince(steady_clock::time_point start) {
  return std::chrono::duration<double>(steady_clock::now() - start).count();
}

// One operation, over all threads.
struct Kind {
  uint64_t calls = 0;
  double longest = 0;  // seconds
  std::map<std::string, uint64_t> results;

  // Calls that did something: scenarios skip what the thread may not do as things are.
  uint64_t Effective() const {
    const auto skipped = results.find("skipped");
    return skipped == results.end() ? calls : calls - std::min(calls, skipped->second);
  }
};

Kind KindOf(const StressStatistics& statistics, int operation) {
  Kind kind;
  for (const ThreadCounts& thread : statistics.threads) {
    const OperationCounts& counts = thread.operations[operation];
    kind.calls += counts.calls.Get();
    kind.longest = std::max(kind.longest, static_cast<double>(counts.longest.Get()) * 1e-9);
    for (const ResultCount& result : counts.results) {
      const char* const text = result.text.load(std::memory_order_relaxed);
      if (text != nullptr && result.count.Get() != 0) kind.results[text] += result.count.Get();
    }
  }
  return kind;
}

// "1.2M".
std::string Short(double number) {
  if (number >= 1e7) return fmt::format("{:.0f}M", number * 1e-6);
  if (number >= 1e6) return fmt::format("{:.1f}M", number * 1e-6);
  if (number >= 1e4) return fmt::format("{:.0f}k", number * 1e-3);
  return fmt::format("{:.0f}", number);
}

std::string Time(double seconds) {
  if (seconds >= 1) return fmt::format("{:.1f} s", seconds);
  if (seconds >= 1e-3) return fmt::format("{:.1f} ms", seconds * 1e3);
  return fmt::format("{:.0f} us", seconds * 1e6);
}

class Supervisor {
 public:
  Supervisor(const std::string& name, const ScenarioType& type, TortureOptions torture,
             const SupervisorOptions& options)
      : name_(name), type_(type), torture_(std::move(torture)), options_(options) {
    // A torture's own process dies of a failure; what it has counted stays here.
    void* const memory = mmap(nullptr, sizeof(StressStatistics), PROT_READ | PROT_WRITE,
                              MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) std::perror("mmap"), std::exit(2);
    statistics_ = new (memory) StressStatistics;
  }

  StressEnd Run() {
    struct sigaction action = {};
    action.sa_handler = Interrupt;
    sigaction(SIGINT, &action, nullptr);
    sigaction(SIGTERM, &action, nullptr);
    start_ = steady_clock::now();
    do {
      RunChild();
      ++torture_.seed;
    } while (options_.keep_going && interrupted == 0 && SecondsSince(start_) < options_.seconds);
    return SumUp();
  }

 private:
  void RunChild() {
    std::fflush(nullptr);
    statistics_->stop.store(false, std::memory_order_relaxed);
    for (ThreadCounts& thread : statistics_->threads) thread.operation.Set(ThreadCounts::kOutside);
    const pid_t child = fork();
    if (child < 0) std::perror("fork"), std::exit(2);
    if (child == 0) BecomeTorture();
    int status = 0;
    if (!Watch(child, status) || status != 0) {
      ++errors_;
      if (WIFSIGNALED(status) && !killed_) {
        std::fputs(fmt::format("the process was ended by signal {}\n", WTERMSIG(status)).c_str(),
                   stderr);
      }
    }
  }

  [[noreturn]] void BecomeTorture() {
    // Ctrl-C reaches both processes; the one that watches asks for the end.
    std::signal(SIGINT, SIG_IGN);
    std::signal(SIGTERM, SIG_DFL);
    torture_.on_failure = [](const std::string& report) {
      std::fputs(report.c_str(), stderr);
      std::fflush(stderr);
      _exit(kExitFailure);
    };
    Torture(type_, torture_, *statistics_);
    std::exit(0);  // a sanitizer may have something to say yet
  }

  // Until the child has ended. False if it had to be killed.
  bool Watch(pid_t child, int& status) {
    std::optional<steady_clock::time_point> asked;
    killed_ = false;
    for (;;) {
      const pid_t ended = waitpid(child, &status, WNOHANG);
      if (ended == child) return !killed_;
      if (ended < 0 && errno != EINTR) return false;
      if (!asked && (interrupted != 0 || SecondsSince(start_) >= options_.seconds)) {
        statistics_->stop.store(true, std::memory_order_relaxed);
        asked = steady_clock::now();
      }
      if (asked && !killed_ && SecondsSince(*asked) > torture_.wait_limit + kGrace) {
        std::fputs("the threads do not end: they are killed\n", stderr);
        kill(child, SIGKILL);
        killed_ = true;
      }
      if (const double now = SecondsSince(start_); now >= next_line_ && !options_.quiet) {
        PrintLine(now);
        next_line_ += 1;
      }
      std::this_thread::sleep_for(kTick);
    }
  }

  void PrintLine(double now) {
    uint64_t all = 0;
    std::string kinds;
    last_calls_.resize(static_cast<size_t>(type_.operation_count));
    for (int operation = 0; operation < type_.operation_count; ++operation) {
      const Kind kind = KindOf(*statistics_, operation);
      uint64_t& last = last_calls_[static_cast<size_t>(operation)];
      const uint64_t calls = kind.Effective();
      const double rate = static_cast<double>(calls - last) / (now - last_line_);
      last = calls;
      all += calls;
      if (calls == 0) continue;
      kinds += fmt::format("; {} {}/s, longest {}", type_.operations[operation].name, Short(rate),
                           Time(kind.longest));
    }
    const double rate = static_cast<double>(all - last_all_) / (now - last_line_);
    last_all_ = all;
    last_line_ = now;
    std::fputs(
        fmt::format("{:.0f} s: {} operations/s, {} errors{}\n", now, Short(rate), errors_, kinds)
            .c_str(),
        stderr);
  }

  StressEnd SumUp() {
    const double seconds = SecondsSince(start_);
    nlohmann::ordered_json json = {{"jacquard_stress", 1},
                                   {"target", name_},
                                   {"passed", errors_ == 0},
                                   {"errors", errors_},
                                   {"interrupted", interrupted != 0},
                                   {"seconds", seconds},
                                   {"threads", torture_.threads},
                                   {"rounds", statistics_->rounds.Get()},
                                   {"pauses", statistics_->pauses.Get()}};
    uint64_t delayed = 0;
    for (const ThreadCounts& thread : statistics_->threads)
      delayed += thread.delayed_accesses.Get();
    json["delayed_accesses"] = delayed;
    uint64_t all = 0;
    auto operations = nlohmann::ordered_json::array();
    std::string table =
        fmt::format("{:24} {:>12} {:>10}  results\n", "operation", "calls", "longest");
    for (int operation = 0; operation < type_.operation_count; ++operation) {
      const Kind kind = KindOf(*statistics_, operation);
      const char* const name = type_.operations[operation].name;
      all += kind.Effective();
      table += fmt::format("{:24} {:12} {:>10} ", name, kind.calls, Time(kind.longest));
      for (const auto& [text, count] : kind.results) table += fmt::format(" {} {},", text, count);
      table.back() = '\n';
      operations.push_back({{"name", name},
                            {"calls", kind.calls},
                            {"longest_seconds", kind.longest},
                            {"results", kind.results}});
    }
    json["operations"] = all;
    json["operations_per_second"] = static_cast<double>(all) / seconds;
    json["kinds"] = std::move(operations);
    if (options_.json != "-") {
      std::fputs(
          fmt::format("{}{}: {} operations in {:.1f} s ({}/s), {} threads, {} rounds; {}\n", table,
                      name_, all, seconds, Short(static_cast<double>(all) / seconds),
                      torture_.threads, statistics_->rounds.Get(),
                      errors_ == 0 ? std::string("passed")
                                   : fmt::format("{} error{}", errors_, errors_ == 1 ? "" : "s"))
              .c_str(),
          stdout);
    }
    if (!options_.json.empty() && !WriteJson(json.dump(1) + "\n")) return StressEnd::kNoFile;
    return errors_ == 0 ? StressEnd::kPassed : StressEnd::kFailed;
  }

  bool WriteJson(const std::string& text) const {
    if (options_.json == "-")
      return std::fputs(text.c_str(), stdout) >= 0 && std::fflush(stdout) == 0;
    std::FILE* const file = std::fopen(options_.json.c_str(), "w");
    const bool written = file != nullptr && std::fputs(text.c_str(), file) >= 0;
    if (file != nullptr && std::fclose(file) == 0 && written) return true;
    std::perror(options_.json.c_str());
    return false;
  }

  const std::string& name_;
  const ScenarioType& type_;
  TortureOptions torture_;
  const SupervisorOptions& options_;
  StressStatistics* statistics_ = nullptr;  // never unmapped
  steady_clock::time_point start_;
  uint64_t errors_ = 0;
  bool killed_ = false;
  // Of the status lines: when the next one is due, and what the last one said.
  double next_line_ = 1;
  double last_line_ = 0;
  uint64_t last_all_ = 0;
  std::vector<uint64_t> last_calls_;
};

}  // namespace

StressEnd Supervise(const std::string& name, const ScenarioType& type,
                    const TortureOptions& torture, const SupervisorOptions& options) {
  return Supervisor(name, type, torture, options).Run();
}

}  // namespace jacquard
