// How far a search has come: a line while it runs, and a table at the end.
#ifndef JACQUARD_JACQUARD_STATUS_LINE_H_
#define JACQUARD_JACQUARD_STATUS_LINE_H_

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace jacquard::call {

struct SearchStatus {
  std::string strategy;
  uint64_t executions = 0;
  uint64_t scenarios = 0;  // begun
  uint64_t distinct_schedules = 0;
  uint64_t behaviours = 0;
  uint64_t bug_count = 0;                // by signature
  uint64_t executions_to_first_bug = 0;  // 0: there is none
  double seconds = 0;
  double seconds_since_new = 0;  // since the last new behaviour
  bool exhausted = false;
  double share_done = -1;             // of all there is, from 0 to 1; below 0: it has no end
  bool share_is_of_scenario = false;  // where scenarios have no end
  // A row below that of the whole it is a part of, which has no scenarios, schedules and seconds of
  // its own.
  bool is_part = false;
};

// "portfolio: 5000 executions, 100000 a second; ...".
std::string FormatStatus(const SearchStatus& status);

// A head, and a row each.
std::string FormatTable(const std::vector<SearchStatus>& rows);

// One line on standard error, which is written over on a terminal; elsewhere a new one now and
// then.
class StatusLine {
 public:
  explicit StatusLine(bool quiet);

  // To be called as often as one likes.
  void Show(const SearchStatus& status);
  // Takes it away.
  void End();

 private:
  const bool quiet_;
  const bool terminal_;
  bool shown_ = false;
  std::chrono::steady_clock::time_point next_;
};

}  // namespace jacquard::call

#endif  // JACQUARD_JACQUARD_STATUS_LINE_H_
