// What all processes of one fuzzing run have done together, for the panel and a campaign's report.
//
// With -fork libFuzzer starts process after process, and tells of them executions and features
// only. The first process makes a file in memory, which those that it starts find by their
// environment, and to which each adds what it has done. Nothing that is fuzzed depends on it.
#ifndef JACQUARD_FUZZERS_RUN_TOTALS_H_
#define JACQUARD_FUZZERS_RUN_TOTALS_H_

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "fuzzers/progress.h"

namespace jacquard::fuzzers {

class RunTotals {
 public:
  // Makes the file; processes that this one starts from now on belong to the run. Null if there is
  // no memory for it. Not thread-safe: changes the environment.
  static std::unique_ptr<RunTotals> Make();

  // That of the run to which this process belongs; null if it belongs to none, or that has ended.
  static std::unique_ptr<RunTotals> Join();

  ~RunTotals();
  RunTotals(const RunTotals&) = delete;
  RunTotals& operator=(const RunTotals&) = delete;

  // Adds executions and steps that have not been added yet. `states`: for each state that can be
  // seen, whether it was; `schedules`: ScheduleCounter::Registers. Both may be told again: they are
  // united with what others have seen. Some 20 microseconds. Any process, at any time.
  void Add(uint64_t executions, uint64_t steps, std::span<const uint8_t> states,
           std::string_view schedules);

  // What has been added by now.
  TargetProgress Read() const;

 private:
  struct Shared;

  RunTotals(int file, Shared* shared) : file_(file), shared_(shared) {}

  const int file_;  // -1: another process has it
  Shared* const shared_;
};

}  // namespace jacquard::fuzzers

#endif  // JACQUARD_FUZZERS_RUN_TOTALS_H_
