// The first process merges what the others say.
#include "fuzzers/campaign.h"

#include <signal.h>

#include <algorithm>
#include <bit>
#include <chrono>
#include <nlohmann/json.hpp>
#include <tuple>
#include <utility>

#include "jacquard/workers.h"

namespace jacquard::fuzzers {
namespace {

using Clock = std::chrono::steady_clock;
using call::Workers;
using nlohmann::json;
using Pipe = Workers::Pipe;

volatile sig_atomic_t interrupted = 0;

void OnSignal(int /*signal*/) { interrupted = 1; }

// ---- a process that explores

void Work(const Codec& codec, const ExplorerOptions& options, bool given, Scenarios& scenarios,
          const Pipe& pipe) {
  // The first process decides, also where a signal is sent to all of them.
  (void)signal(SIGINT, SIG_IGN);
  (void)signal(SIGTERM, SIG_IGN);
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
}

// ---- the first process

struct Job {
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

  CampaignStatus Run(const Codec& codec,
                     const std::function<std::unique_ptr<Scenarios>()>& make_scenarios) {
    jobs_.resize(static_cast<size_t>(options_.jobs));
    status_.problem = workers_.Start(options_.jobs, [&](int worker, const Pipe& pipe) {
      ExplorerOptions options = options_.explorer;
      options.worker = worker;
      options.workers = options_.jobs;
      options.executions = Workers::Share(options.executions, worker, options_.jobs);
      Work(codec, options, options_.given, *make_scenarios(), pipe);
    });
    workers_.Listen([this](int worker, const json& message) { Take(worker, message); },
                    [this] {
                      Merge();
                      on_status_(status_);
                      const bool found =
                          options_.explorer.stop_at_first_bug && !status_.bugs.empty();
                      status_.interrupted |= interrupted != 0;
                      if (interrupted != 0 || found) Kill(/*but_finders=*/found);
                    });
    Kill(/*but_finders=*/false);
    if (const std::string problem = workers_.Reap(); !problem.empty()) status_.problem = problem;
    Merge();
    // The order in which they were heard of is chance.
    std::ranges::sort(status_.bugs, [](const ExplorerBug& a, const ExplorerBug& b) {
      return std::tie(a.executions, a.signature) < std::tie(b.executions, b.signature);
    });
    if (!status_.bugs.empty()) status_.executions_to_first_bug = status_.bugs.front().executions;
    return std::move(status_);
  }

 private:
  // Who has found something ends by itself.
  void Kill(bool but_finders) {
    workers_.Kill(
        [&](int worker) { return but_finders && jobs_[static_cast<size_t>(worker)].has_found; });
  }

  void Take(int worker, const json& message) {
    Job& job = jobs_[static_cast<size_t>(worker)];
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
      job.has_found = true;
      return;
    }
    ExplorerProgress& progress = job.progress;
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
    status_.exhausted = !jobs_.empty();
    double share = 0;
    bool has_share = true;
    for (const Job& job : jobs_) {
      const ExplorerProgress& progress = job.progress;
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
    status_.share_done = has_share && !jobs_.empty() ? share / options_.jobs : -1;
    uint64_t behaviours = 0;
    for (const uint8_t byte : behaviours_) behaviours += static_cast<uint64_t>(std::popcount(byte));
    const auto now = Clock::now();
    if (behaviours != status_.behaviours) last_new_ = now;
    status_.behaviours = behaviours;
    status_.bug_count = status_.bugs.size();
    status_.seconds = std::chrono::duration<double>(now - start_).count();
    status_.seconds_since_new = std::chrono::duration<double>(now - last_new_).count();
  }

  const CampaignOptions& options_;
  const std::function<void(const CampaignStatus& status)>& on_status_;
  const Clock::time_point start_;
  Clock::time_point last_new_;
  Workers workers_;
  std::vector<Job> jobs_;  // by worker
  decltype(ExplorerProgress::behaviours) behaviours_ = {};
  CampaignStatus status_;
};

}  // namespace

CampaignStatus RunCampaign(const Codec& codec, const CampaignOptions& options,
                           const std::function<std::unique_ptr<Scenarios>()>& make_scenarios,
                           const std::function<void(const CampaignStatus& status)>& on_status) {
  struct sigaction action = {};
  action.sa_handler = OnSignal;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  CampaignOptions shared = options;
  // A process without a part of the executions would have no bound.
  if (const uint64_t executions = options.explorer.executions; executions != 0)
    shared.jobs =
        static_cast<int>(std::min<uint64_t>(executions, static_cast<uint64_t>(shared.jobs)));
  return Campaign(shared, on_status).Run(codec, make_scenarios);
}

bool CampaignInterrupted() { return interrupted != 0; }

}  // namespace jacquard::fuzzers
