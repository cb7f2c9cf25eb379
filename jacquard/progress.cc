#include "jacquard/progress.h"

#include <span>
#include <utility>

#include "sim/strategies.h"

namespace jacquard::call {
namespace {

constexpr std::chrono::milliseconds kBetweenReports{200};

double Seconds(Progress::Clock::duration time) {
  return std::chrono::duration<double>(time).count();
}

}  // namespace

std::unique_ptr<Strategy> Progress::MakeWatched(const std::string& name, uint64_t seed) {
  std::unique_ptr<Strategy> plain = MakeStrategy(name, seed);
  if (!is_watched() || plain == nullptr) return plain;
  auto watched = name == "portfolio" ? std::make_unique<Portfolio>(seed)
                                     : std::make_unique<Portfolio>(name, seed);
  strategy_ = watched.get();
  return watched;
}

void Progress::Begin() {
  start_ = last_new_ = Clock::now();
  next_ = start_ + kBetweenReports;
}

void Progress::Report(SearchStatus status, const Result& result, ScheduleCounter& schedules) {
  const auto now = Clock::now();
  next_ = now + kBetweenReports;
  std::span<const uint64_t> behaviours;
  if (strategy_ != nullptr) behaviours = strategy_->behaviours();
  const auto fresh = behaviours.subspan(behaviours_told_);
  behaviours_told_ = behaviours.size();
  if (!fresh.empty()) last_new_ = now;
  if (tell_ == nullptr) {
    status.distinct_schedules = schedules.Count();
    status.behaviours = behaviours.size();
    status.bug_count = result.findings.size();
    status.seconds = Seconds(now - start_);
    status.seconds_since_new = Seconds(now - last_new_);
    return Show(status);
  }
  JobNews news{
      .status = status, .schedules = schedules.Registers(), .behaviours = fresh, .signatures = {}};
  for (const Finding& finding : result.findings)
    news.signatures.push_back(finding.verdict.signature);
  (*tell_)(news);
}

}  // namespace jacquard::call
