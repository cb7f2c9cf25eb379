// An exploration by several processes, which share the budget and what they find.
#ifndef JACQUARD_JACQUARD_JOBS_H_
#define JACQUARD_JACQUARD_JOBS_H_

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "jacquard/jacquard.h"
#include "jacquard/result_files.h"
#include "jacquard/status_line.h"

namespace jacquard::call {

// What a process tells while it explores.
struct JobNews {
  SearchStatus status;
  std::string schedules;                 // ScheduleCounter::Registers
  std::span<const uint64_t> behaviours;  // new since it told last
  std::vector<std::string> signatures;   // of all bugs
};

// What it has in the end.
struct FinishedJob {
  Result result;
  FileTexts texts;
};

// The seed of a process. Number 0 does what would be done without others.
constexpr uint64_t SeedOf(uint64_t seed, int worker) {
  constexpr uint64_t kOdd = 0x9E37'79B9'7F4A'7C15;
  return seed + static_cast<uint64_t>(worker) * kOdd;
}

struct Jobs {
  int count = 2;
  bool stop_at_first_bug = true;
  double seconds = 0;  // when these are over, one execution must have been; 0: no matter
  // In a process of its own, with its number.
  std::function<FinishedJob(int worker, const std::function<void(const JobNews&)>& tell)> explore;
  // Told a few times a second, and at the end.
  std::function<void(const SearchStatus& status)> on_status;
};

// All together: findings by signature, in the order of the executions that they took, those of the
// one that found it times the number of processes. So is Result::first_failure; the number of
// different schedules is an estimate. `problem` is set if a process did not end as it should.
FinishedJob RunJobs(const Jobs& jobs);

}  // namespace jacquard::call

#endif  // JACQUARD_JACQUARD_JOBS_H_
