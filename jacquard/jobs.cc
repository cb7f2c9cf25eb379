#include "jacquard/jobs.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>
#include <set>
#include <string_view>
#include <unordered_set>
#include <utility>

#include "jacquard/schedule_counter.h"
#include "jacquard/workers.h"

namespace jacquard::call {
namespace {

using Clock = std::chrono::steady_clock;
using nlohmann::json;

// ---- what goes through the pipes

json ToJson(const JobNews& news) {
  return {{"executions", news.status.executions}, {"exhausted", news.status.exhausted},
          {"share", news.status.share_done},      {"schedules", news.schedules},
          {"behaviours", news.behaviours},        {"signatures", news.signatures}};
}

json ToJson(const Finding& finding) {
  const Verdict& verdict = finding.verdict;
  return {{"kind", static_cast<int>(verdict.kind)},
          {"message", verdict.message},
          {"signature", verdict.signature},
          {"thread", verdict.thread},
          {"step", verdict.step},
          {"count", finding.count},
          {"first", finding.first},
          {"token", finding.token},
          {"report", finding.report},
          {"choices", finding.choices},
          {"kept", finding.kept},
          {"minimal", finding.minimal}};
}

Finding FindingFrom(const json& message) {
  Finding finding;
  Verdict& verdict = finding.verdict;
  verdict.kind = static_cast<VerdictKind>(message["kind"].get<int>());
  verdict.message = message["message"];
  verdict.signature = message["signature"];
  verdict.thread = message["thread"];
  verdict.step = message["step"];
  finding.count = message["count"];
  finding.first = message["first"];
  finding.token = message["token"];
  finding.report = message["report"];
  finding.choices = message["choices"];
  finding.kept = message["kept"];
  finding.minimal = message["minimal"];
  return finding;
}

json ToJson(const FinishedJob& job) {
  const Result& result = job.result;
  json message = {{"end", true},
                  {"executions", result.executions},
                  {"steps", result.steps},
                  {"exhausted", result.exhausted},
                  {"cut", result.cut_histories},
                  {"long", result.long_executions},
                  {"failing_statuses", result.failing_statuses},
                  {"library_bugs", result.library_bugs},
                  {"annotations", result.annotations},
                  {"given_up", result.steps_given_up},
                  {"needs_constructors", result.needs_constructors},
                  {"first", result.first_failure},
                  {"problem", result.problem},
                  {"json", job.texts.json},
                  {"timeline", job.texts.timeline},
                  {"findings", json::array()},
                  {"strategies", json::array()}};
  for (const Finding& finding : result.findings) message["findings"].push_back(ToJson(finding));
  for (const StrategyShare& share : result.strategies) {
    message["strategies"].push_back({{"name", share.name},
                                     {"executions", share.executions},
                                     {"failures", share.failures},
                                     {"first", share.first_failure},
                                     {"behaviours", share.behaviours}});
  }
  return message;
}

// Where processes have a file as input, each reads it by itself.
void OpenInputAgain() {
  const off_t place = lseek(STDIN_FILENO, 0, SEEK_CUR);
  const int own = place < 0 ? -1 : open("/proc/self/fd/0", O_RDONLY | O_CLOEXEC);
  if (own < 0) return;
  lseek(own, place, SEEK_SET);
  dup2(own, STDIN_FILENO);
  close(own);
}

// ---- the first process

class Merger {
 public:
  explicit Merger(const Jobs& jobs)
      : jobs_(jobs),
        start_(Clock::now()),
        last_new_(start_),
        news_(static_cast<size_t>(jobs.count)),
        has_found_(static_cast<size_t>(jobs.count)) {}

  FinishedJob Run() {
    Result& result = all_.result;
    result.problem = workers_.Start(jobs_.count, [this](int worker, const Workers::Pipe& pipe) {
      OpenInputAgain();
      pipe.Send(
          ToJson(jobs_.explore(worker, [&pipe](const JobNews& news) { pipe.Send(ToJson(news)); })));
    });
    workers_.Listen([this](int worker, const json& message) { Take(worker, message); },
                    [this] { LookAround(); });
    const bool killed = killed_all_;
    const std::string problem = workers_.Reap();
    if (result.problem.empty()) result.problem = problem;
    Finish();
    if (killed && result.executions == 0 && result.problem.empty()) {
      result.problem =
          "the time was over before one execution had come to its end in any process; jobs=1 says "
          "where it was";
    }
    return std::move(all_);
  }

 private:
  void Take(int worker, const json& message) {
    const auto place = static_cast<size_t>(worker);
    if (message.contains("end")) return TakeEnd(message);
    SearchStatus& news = news_[place];
    news.executions = message["executions"];
    news.exhausted = message["exhausted"];
    news.share_done = message["share"];
    schedules_.Merge(message["schedules"].get<std::string>());
    for (const uint64_t behaviour : message["behaviours"]) {
      if (behaviours_.insert(behaviour).second) last_new_ = Clock::now();
    }
    for (const std::string signature : message["signatures"]) {
      signatures_.insert(signature);
      has_found_[place] = true;
    }
  }

  void TakeEnd(const json& message) {
    Result& result = all_.result;
    const auto count = static_cast<uint64_t>(jobs_.count);
    result.steps += message["steps"].get<uint64_t>();
    result.cut_histories += message["cut"].get<uint64_t>();
    result.long_executions += message["long"].get<uint64_t>();
    result.failing_statuses += message["failing_statuses"].get<uint64_t>();
    result.library_bugs += message["library_bugs"].get<uint64_t>();
    result.annotations += message["annotations"].get<uint64_t>();
    result.steps_given_up += message["given_up"].get<uint64_t>();
    result.needs_constructors |= message["needs_constructors"].get<bool>();
    if (result.problem.empty()) result.problem = message["problem"];
    Earliest(result.first_failure, message["first"].get<uint64_t>() * count);
    for (const json& of_share : message["strategies"]) {
      const std::string name = of_share["name"];
      auto share = std::ranges::find(result.strategies, name, &StrategyShare::name);
      if (share == result.strategies.end()) {
        result.strategies.emplace_back().name = name;
        share = result.strategies.end() - 1;
      }
      share->executions += of_share["executions"].get<uint64_t>();
      share->failures += of_share["failures"].get<uint64_t>();
      share->behaviours += of_share["behaviours"].get<uint64_t>();
      Earliest(share->first_failure, of_share["first"].get<uint64_t>() * count);
    }
    for (const json& of_finding : message["findings"]) {
      Finding finding = FindingFrom(of_finding);
      finding.first *= count;
      signatures_.insert(finding.verdict.signature);
      const bool is_first = of_finding == message["findings"].front();
      if (is_first && Precedes(finding)) {
        all_.texts.json = message["json"];
        all_.texts.timeline = message["timeline"];
      }
      Add(std::move(finding));
    }
    // What is written where there is none.
    if (all_.texts.json.empty()) all_.texts.json = message["json"];
    if (all_.texts.timeline.empty()) all_.texts.timeline = message["timeline"];
  }

  static void Earliest(uint64_t& first, uint64_t other) {
    if (other != 0 && (first == 0 || other < first)) first = other;
  }

  static bool Before(const Finding& a, const Finding& b) {
    return std::pair(a.first, std::string_view(a.token)) <
           std::pair(b.first, std::string_view(b.token));
  }

  bool Precedes(const Finding& finding) const {
    return std::ranges::all_of(all_.result.findings,
                               [&finding](const Finding& other) { return Before(finding, other); });
  }

  // Of two with a signature the one that took fewer executions stays.
  void Add(Finding finding) {
    std::vector<Finding>& findings = all_.result.findings;
    const auto same = std::ranges::find_if(findings, [&finding](const Finding& other) {
      return other.verdict.signature == finding.verdict.signature;
    });
    if (same == findings.end()) {
      findings.push_back(std::move(finding));
      return;
    }
    const uint64_t count = same->count + finding.count;
    if (Before(finding, *same)) *same = std::move(finding);
    same->count = count;
  }

  void LookAround() {
    jobs_.on_status(Status());
    const bool found = jobs_.stop_at_first_bug && !signatures_.empty();
    const double seconds = Seconds(Clock::now() - start_);
    // A process that has executed something ends by itself.
    constexpr double kPatience = 1;
    const bool late = jobs_.seconds > 0 && seconds > jobs_.seconds + kPatience &&
                      Status().executions == 0 && signatures_.empty();
    killed_all_ |= late;
    // Who has found something ends by itself, too.
    if (found || late)
      workers_.Kill([&](int worker) { return found && has_found_[static_cast<size_t>(worker)]; });
  }

  static double Seconds(Clock::duration time) {
    return std::chrono::duration<double>(time).count();
  }

  SearchStatus Status() {
    SearchStatus status;
    status.scenarios = 1;
    status.exhausted = true;
    for (const SearchStatus& news : news_) {
      status.executions += news.executions;
      status.exhausted &= news.exhausted;
    }
    status.distinct_schedules = std::min(schedules_.Count(), status.executions);
    status.behaviours = behaviours_.size();
    status.bug_count = signatures_.size();
    if (jobs_.count == 1) status.share_done = news_.front().share_done;
    status.seconds = Seconds(Clock::now() - start_);
    status.seconds_since_new = Seconds(Clock::now() - last_new_);
    return status;
  }

  void Finish() {
    Result& result = all_.result;
    const SearchStatus status = Status();
    result.executions = status.executions;
    result.exhausted = status.exhausted;
    result.share_done = status.share_done;
    result.distinct_schedules = status.distinct_schedules;
    result.schedules_estimated = true;
    result.behaviours = status.behaviours;
    result.seconds = status.seconds;
    std::ranges::sort(result.findings, Before);
    jobs_.on_status(status);
  }

  const Jobs& jobs_;
  const Clock::time_point start_;
  Clock::time_point last_new_;
  Workers workers_;
  std::vector<SearchStatus> news_;  // by worker
  std::vector<bool> has_found_;     // by worker
  bool killed_all_ = false;
  ScheduleCounter schedules_{0};
  std::unordered_set<uint64_t> behaviours_;
  std::set<std::string> signatures_;
  FinishedJob all_;
};

}  // namespace

FinishedJob RunJobs(const Jobs& jobs) { return Merger(jobs).Run(); }

}  // namespace jacquard::call
