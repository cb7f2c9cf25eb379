// How far an exploration has come: told to a person, or to the process that has started this one.
#ifndef JACQUARD_JACQUARD_PROGRESS_H_
#define JACQUARD_JACQUARD_PROGRESS_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "jacquard/jacquard.h"
#include "jacquard/jobs.h"
#include "jacquard/schedule_counter.h"
#include "jacquard/status_line.h"
#include "sim/portfolio.h"

namespace jacquard::call {

class Progress {
 public:
  using Clock = std::chrono::steady_clock;
  using Tell = std::function<void(const JobNews& news)>;

  // `shown`: there is a status line. `tell`: this is one of several processes, and tells that; it
  // must outlive the exploration.
  explicit Progress(bool shown, const Tell* tell = nullptr) : shown_(shown), tell_(tell) {}

  bool is_watched() const { return shown_ || tell_ != nullptr; }

  // The strategy of that name, told of behaviour if anybody wants to know; null if there is none.
  std::unique_ptr<Strategy> MakeWatched(const std::string& name, uint64_t seed);

  void Begin();
  bool IsTime(Clock::time_point now) const { return now >= next_; }
  // `status`: but for what is new, and the time.
  void Report(SearchStatus status, const Result& result, ScheduleCounter& schedules);
  // Of all processes.
  void Show(const SearchStatus& status) {
    if (shown_) line_.Show(status);
  }
  void End() { line_.End(); }

 private:
  const bool shown_;
  const Tell* const tell_;
  StatusLine line_{/*quiet=*/false};
  Portfolio* strategy_ = nullptr;
  size_t behaviours_told_ = 0;
  Clock::time_point start_;
  Clock::time_point last_new_;
  Clock::time_point next_;
};

}  // namespace jacquard::call

#endif  // JACQUARD_JACQUARD_PROGRESS_H_
