#include "fuzzers/run_totals.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <string>

#include "fuzzers/features.h"
#include "jacquard/schedule_counter.h"

namespace jacquard::fuzzers {

// All is 0 at first. Relaxed throughout: the numbers are shown and order nothing.
struct RunTotals::Shared {
  std::atomic<uint64_t> executions;
  std::atomic<uint64_t> steps;
  std::atomic<uint8_t> states[Features::kStates];
  std::atomic<char> schedules[call::ScheduleCounter::kRegisters];

  static Shared* Map(int file) {
    void* const memory = mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    return memory == MAP_FAILED ? nullptr : static_cast<Shared*>(memory);
  }
};

namespace {

constexpr const char* kVariable = "JACQUARD_RUN_TOTALS";

// Raises `value` to `other`, if that is more.
template <class T>
void Raise(std::atomic<T>& value, T other) {
  T before = value.load(std::memory_order_relaxed);
  while (before < other && !value.compare_exchange_weak(before, other, std::memory_order_relaxed)) {
  }
}

}  // namespace

std::unique_ptr<RunTotals> RunTotals::Make() {
  const int file = memfd_create("jacquard_run_totals", MFD_CLOEXEC);
  if (file == -1) return nullptr;
  Shared* const shared = ftruncate(file, sizeof(Shared)) == 0 ? Shared::Map(file) : nullptr;
  if (shared == nullptr) {
    close(file);
    return nullptr;
  }
  // Is gone with this process.
  setenv(kVariable, fmt::format("/proc/{}/fd/{}", getpid(), file).c_str(), /*replace=*/1);
  return std::unique_ptr<RunTotals>(new RunTotals(file, shared));
}

std::unique_ptr<RunTotals> RunTotals::Join() {
  const char* const path = std::getenv(kVariable);
  if (path == nullptr) return nullptr;
  const int file = open(path, O_RDWR | O_CLOEXEC);
  if (file == -1) return nullptr;
  // Something else may have the name of one that has ended: that is not written to.
  const bool is_it = lseek(file, 0, SEEK_END) == off_t{sizeof(Shared)};
  Shared* const shared = is_it ? Shared::Map(file) : nullptr;
  close(file);
  if (shared == nullptr) return nullptr;
  return std::unique_ptr<RunTotals>(new RunTotals(-1, shared));
}

RunTotals::~RunTotals() {
  munmap(shared_, sizeof(Shared));
  if (file_ != -1) close(file_);
}

void RunTotals::Add(uint64_t executions, uint64_t steps, std::span<const uint8_t> states,
                    std::string_view schedules) {
  shared_->executions.fetch_add(executions, std::memory_order_relaxed);
  shared_->steps.fetch_add(steps, std::memory_order_relaxed);
  for (size_t i = 0; i < std::min(states.size(), std::size(shared_->states)); ++i)
    Raise(shared_->states[i], states[i]);
  for (size_t i = 0; i < std::min(schedules.size(), std::size(shared_->schedules)); ++i)
    Raise(shared_->schedules[i], schedules[i]);
}

TargetProgress RunTotals::Read() const {
  TargetProgress progress = {.executions = shared_->executions.load(std::memory_order_relaxed),
                             .steps = shared_->steps.load(std::memory_order_relaxed),
                             .schedules_estimated = true};
  for (const std::atomic<uint8_t>& state : shared_->states)
    progress.states += state.load(std::memory_order_relaxed) != 0 ? 1 : 0;
  std::string registers;
  for (const std::atomic<char>& value : shared_->schedules)
    registers += std::max('0', value.load(std::memory_order_relaxed));
  call::ScheduleCounter schedules(/*most_exact=*/0);
  schedules.Merge(registers);
  progress.schedules = schedules.Count();
  return progress;
}

}  // namespace jacquard::fuzzers
