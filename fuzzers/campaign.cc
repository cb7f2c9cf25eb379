// The processes write JSON lines to pipes, and the first one merges what they say.
#include "fuzzers/campaign.h"

#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <nlohmann/json.hpp>
#include <tuple>
#include <utility>

namespace jacquard::fuzzers {
namespace {

using Clock = std::chrono::steady_clock;
using nlohmann::json;

constexpr int kPollMilliseconds = 100;

volatile sig_atomic_t interrupted = 0;

void OnSignal(int /*signal*/) { interrupted = 1; }

// ---- a process that explores

class Pipe {
 public:
  explicit Pipe(int fd) : fd_(fd) {}
  void Send(const json& message) const {
    const std::string line = message.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
    for (size_t sent = 0; sent < line.size();) {
      const ssize_t n = write(fd_, line.data() + sent, line.size() - sent);
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) _exit(1);  // nobody listens any more
      sent += static_cast<size_t>(n);
    }
  }

 private:
  const int fd_;
};

[[noreturn]] void Work(const Codec& codec, const ExplorerOptions& options, bool given,
                       Scenarios& scenarios, const Pipe& pipe) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  (void)signal(SIGINT, SIG_IGN);  // the first process decides
  (void)signal(SIGTERM, SIG_DFL);
  Explorer explorer(
      codec, options,
      [&pipe](const ExplorerProgress& progress) {
        pipe.Send({{"executions", progress.executions},
                   {"steps", progress.steps},
                   {"scenarios", progress.scenarios},
                   {"schedules", progress.distinct_schedules},
                   {"failures", progress.failures},
                   {"exhausted", progress.exhausted},
                   {"share", progress.share_done},
                   {"of_scenario", progress.share_is_of_scenario},
                   {"behaviours", progress.behaviours}});
      },
      [&pipe](const ExplorerBug& bug) {
        pipe.Send({{"bug", bug.signature},
                   {"kind", bug.kind},
                   {"message", bug.message},
                   {"input", bug.input},
                   {"after", bug.executions},
                   {"reproducible", bug.reproducible},
                   {"minimal", bug.minimal}});
      });
  explorer.Run(scenarios, given);
  _exit(0);
}

// ---- the first process

struct Worker {
  pid_t pid = -1;
  int fd = -1;
  std::string buffer;  // of a line that is not complete yet
  ExplorerProgress progress;
  bool has_found = false;
};

class Campaign {
 public:
  Campaign(const CampaignOptions& options,
           const std::function<void(const CampaignStatus& status)>& on_status)
      : options_(options), on_status_(on_status), start_(Clock::now()), last_new_(start_) {
    status_.strategy = options.explorer.strategy;
  }

  void Start(const Codec& codec,
             const std::function<std::unique_ptr<Scenarios>()>& make_scenarios) {
    for (int i = 0; i < options_.jobs; ++i) {
      int ends[2];
      if (pipe(ends) != 0) return Fail("pipe");
      const pid_t pid = fork();
      if (pid < 0) return Fail("fork");
      if (pid == 0) {
        close(ends[0]);
        for (const Worker& other : workers_) close(other.fd);
        ExplorerOptions options = options_.explorer;
        options.worker = i;
        options.workers = options_.jobs;
        const auto jobs = static_cast<uint64_t>(options_.jobs);
        const uint64_t share = options.executions / jobs;
        if (options.executions != 0)
          options.executions = share + (static_cast<uint64_t>(i) < options.executions % jobs);
        Work(codec, options, options_.given, *make_scenarios(), Pipe(ends[1]));
      }
      close(ends[1]);
      Worker& worker = workers_.emplace_back();
      worker.pid = pid;
      worker.fd = ends[0];
    }
  }

  void Listen() {
    for (;;) {
      std::vector<pollfd> waits;
      for (const Worker& worker : workers_) {
        if (worker.fd >= 0) waits.push_back({.fd = worker.fd, .events = POLLIN, .revents = 0});
      }
      if (waits.empty()) return;
      poll(waits.data(), waits.size(), kPollMilliseconds);
      for (const pollfd& wait : waits) {
        if (wait.revents != 0) Read(*std::ranges::find(workers_, wait.fd, &Worker::fd));
      }
      Merge();
      on_status_(status_);
      const bool found = options_.explorer.stop_at_first_bug && !status_.bugs.empty();
      if (interrupted != 0 || found) KillAll(/*but_finders=*/found);
    }
  }

  CampaignStatus End() {
    KillAll(/*but_finders=*/false);
    for (const Worker& worker : workers_) Reap(worker);
    Merge();
    // The order in which they were heard of is chance.
    std::ranges::sort(status_.bugs, [](const ExplorerBug& a, const ExplorerBug& b) {
      return std::tie(a.executions, a.signature) < std::tie(b.executions, b.signature);
    });
    return std::move(status_);
  }

 private:
  void Fail(const char* what) {
    status_.problem = fmt::format("{}: {}", what, std::strerror(errno));
  }

  // Those that have not closed their pipes. Who has found something ends by itself.
  void KillAll(bool but_finders) {
    for (const Worker& worker : workers_) {
      if (worker.fd >= 0 && !(but_finders && worker.has_found)) kill(worker.pid, SIGKILL);
    }
    killed_ = true;
  }

  void Reap(const Worker& worker) {
    int status = 0;
    while (waitpid(worker.pid, &status, 0) < 0 && errno == EINTR) {
    }
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return;
    if (killed_ && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) return;
    status_.problem = WIFSIGNALED(status)
                          ? fmt::format("a process was ended by signal {}", WTERMSIG(status))
                          : fmt::format("a process ended with status {}", WEXITSTATUS(status));
  }

  void Read(Worker& worker) {
    char bytes[65536];
    const ssize_t n = read(worker.fd, bytes, sizeof(bytes));
    if (n < 0 && (errno == EINTR || errno == EAGAIN)) return;
    if (n <= 0) {
      close(worker.fd);
      worker.fd = -1;
      return;
    }
    worker.buffer.append(bytes, static_cast<size_t>(n));
    size_t begin = 0;
    for (size_t end = 0; (end = worker.buffer.find('\n', begin)) != std::string::npos;
         begin = end + 1)
      Take(worker, json::parse(worker.buffer.substr(begin, end - begin)));
    worker.buffer.erase(0, begin);
  }

  void Take(Worker& worker, const json& message) {
    if (message.contains("bug")) {
      ExplorerBug bug;
      bug.signature = message["bug"];
      bug.kind = message["kind"];
      bug.message = message["message"];
      bug.input = message["input"].get<Bytes>();
      bug.executions = message["after"].get<uint64_t>() * static_cast<uint64_t>(options_.jobs);
      bug.reproducible = message["reproducible"];
      bug.minimal = message["minimal"];
      AddBug(std::move(bug));
      worker.has_found = true;
      return;
    }
    ExplorerProgress& progress = worker.progress;
    progress.executions = message["executions"];
    progress.steps = message["steps"];
    progress.scenarios = message["scenarios"];
    progress.distinct_schedules = message["schedules"];
    progress.failures = message["failures"];
    progress.exhausted = message["exhausted"];
    progress.share_done = message["share"];
    progress.share_is_of_scenario = message["of_scenario"];
    progress.behaviours = message["behaviours"];
  }

  // Of two with a signature the one that took fewer executions stays.
  void AddBug(ExplorerBug bug) {
    const auto same = std::ranges::find(status_.bugs, bug.signature, &ExplorerBug::signature);
    if (same == status_.bugs.end()) {
      status_.bugs.push_back(std::move(bug));
    } else if (bug.executions < same->executions) {
      *same = std::move(bug);
    }
  }

  void Merge() {
    status_.executions = status_.steps = status_.scenarios = status_.distinct_schedules =
        status_.failures = 0;
    status_.exhausted = !workers_.empty();
    double share = 0;
    bool has_share = true;
    for (const Worker& worker : workers_) {
      const ExplorerProgress& progress = worker.progress;
      status_.executions += progress.executions;
      status_.steps += progress.steps;
      status_.scenarios += progress.scenarios;
      status_.distinct_schedules += progress.distinct_schedules;
      status_.failures += progress.failures;
      status_.exhausted &= progress.exhausted;
      status_.share_is_of_scenario |= progress.share_is_of_scenario;
      has_share &= progress.share_done >= 0;
      share += progress.share_done;
      for (size_t i = 0; i < progress.behaviours.size(); ++i)
        behaviours_[i] |= progress.behaviours[i];
    }
    status_.share_done = has_share && !workers_.empty() ? share / options_.jobs : -1;
    uint64_t behaviours = 0;
    for (const uint8_t byte : behaviours_) behaviours += static_cast<uint64_t>(std::popcount(byte));
    const auto now = Clock::now();
    if (behaviours != status_.behaviours) last_new_ = now;
    status_.behaviours = behaviours;
    status_.seconds = std::chrono::duration<double>(now - start_).count();
    status_.seconds_since_new = std::chrono::duration<double>(now - last_new_).count();
  }

  const CampaignOptions& options_;
  const std::function<void(const CampaignStatus& status)>& on_status_;
  const Clock::time_point start_;
  Clock::time_point last_new_;
  std::vector<Worker> workers_;
  decltype(ExplorerProgress::behaviours) behaviours_ = {};
  CampaignStatus status_;
  bool killed_ = false;
};

}  // namespace

CampaignStatus RunCampaign(const Codec& codec, const CampaignOptions& options,
                           const std::function<std::unique_ptr<Scenarios>()>& make_scenarios,
                           const std::function<void(const CampaignStatus& status)>& on_status) {
  struct sigaction action = {};
  action.sa_handler = OnSignal;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  Campaign campaign(options, on_status);
  campaign.Start(codec, make_scenarios);
  campaign.Listen();
  return campaign.End();
}

bool CampaignInterrupted() { return interrupted != 0; }

}  // namespace jacquard::fuzzers
