#include "jacquard/status_line.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

namespace jacquard::call {
namespace {

constexpr const char* kClear = "\r\033[K";

std::string Duration(double seconds) {
  if (seconds < 120) return fmt::format("{:.0f} s", seconds);
  if (seconds < 7200) return fmt::format("{:.0f} min", seconds / 60);
  return seconds < 172800 ? fmt::format("{:.0f} h", seconds / 3600)
                          : fmt::format("{:.3g} days", seconds / 86400);
}

}  // namespace

std::string FormatStatus(const SearchStatus& status) {
  std::string text = fmt::format(
      "{}: {} executions, {:.0f} a second; {} distinct schedules; {} behaviours, the last new one "
      "{:.0f} s ago; {} bugs",
      status.strategy, status.executions,
      static_cast<double>(status.executions) / std::max(status.seconds, 1e-3),
      status.distinct_schedules, status.behaviours, status.seconds_since_new, status.bug_count);
  const double share = status.share_done;
  if (share < 0) return text;
  text += fmt::format("; {:.2f} % done", share * 100);
  if (status.share_is_of_scenario) {
    text += " of this scenario";
  } else if (share > 0) {
    text += fmt::format(", about {} left", Duration(status.seconds / share - status.seconds));
  }
  return text;
}

std::string FormatTable(const std::vector<SearchStatus>& rows) {
  std::string text = fmt::format("{:14} {:>12} {:>10} {:>12} {:>10} {:>6} {:>24} {:>9}\n",
                                 "strategy", "executions", "scenarios", "schedules", "behaviours",
                                 "bugs", "executions to first bug", "seconds");
  const auto number = [](bool known, uint64_t value) {
    return known ? fmt::to_string(value) : std::string("-");
  };
  for (const SearchStatus& row : rows) {
    const bool whole = !row.is_part;
    text += fmt::format("{:14} {:>12} {:>10} {:>12} {:>10} {:>6} {:>24} {:>9}{}\n", row.strategy,
                        row.executions, number(whole, row.scenarios),
                        number(whole, row.distinct_schedules), row.behaviours, row.bug_count,
                        number(row.executions_to_first_bug != 0, row.executions_to_first_bug),
                        whole ? fmt::format("{:.2f}", row.seconds) : "-",
                        row.exhausted ? "  (that is all there is)" : "");
  }
  return text;
}

StatusLine::StatusLine(bool quiet) : quiet_(quiet), terminal_(isatty(STDERR_FILENO) != 0) {}

void StatusLine::Show(const SearchStatus& status) {
  const auto now = std::chrono::steady_clock::now();
  if (quiet_ || now < next_) return;
  next_ = now + (terminal_ ? std::chrono::milliseconds(500) : std::chrono::seconds(5));
  const std::string text = FormatStatus(status);
  std::fputs((terminal_ ? kClear + text : text + "\n").c_str(), stderr);
  shown_ = terminal_;
}

void StatusLine::End() {
  if (shown_) std::fputs(kClear, stderr);
  shown_ = false;
  next_ = {};
}

}  // namespace jacquard::call
