#include "sim/sleep_sets.h"

#include <algorithm>
#include <utility>

#include "sim/verdict.h"

namespace jacquard {
namespace {

// Atomic accesses are aligned, and have at most 16 bytes: two that overlap are in one such group.
constexpr uintptr_t kGroup = 16;
// Stand for what threads there are, and for the next free memory: no addresses.
constexpr uintptr_t kThreads = 1;
constexpr uintptr_t kHeap = 2;

}  // namespace

// ---- footprints

void Footprint::AddAccess(uintptr_t place, bool changes) {
  for (Access& access : accesses_) {
    if (access.place != place) continue;
    access.changes = access.changes || changes;
    return;
  }
  accesses_.push_back({place, changes});
}

void Footprint::AddAllocation() { AddAccess(kHeap, true); }

void Footprint::AddFree(const void* block, size_t size, bool reused) {
  constexpr size_t kMost = 32 * kGroup;
  if (size > kMost) return AddEverything();
  AddAccess(kHeap, reused);
  const auto begin = reinterpret_cast<uintptr_t>(block) / kGroup * kGroup;
  for (uintptr_t at = begin; at < reinterpret_cast<uintptr_t>(block) + size; at += kGroup)
    AddAccess(at, true);
}

void Footprint::Add(const Operation& operation, size_t size) {
  const auto group = reinterpret_cast<uintptr_t>(operation.address) / kGroup * kGroup;
  switch (operation.kind) {
    case StepKind::kLoad:
    case StepKind::kStore:
    case StepKind::kReadModifyWrite:
    case StepKind::kMutexLock:
    case StepKind::kMutexTryLock:
    case StepKind::kMutexUnlock:
    case StepKind::kSharedLock:
    case StepKind::kSharedTryLock:
    case StepKind::kSharedUnlock:
    case StepKind::kSemaphoreWait:
    case StepKind::kSemaphoreTryWait:
    case StepKind::kSemaphorePost:
      AddAccess(group, !OnlyReads(operation.kind));
      return;
    case StepKind::kPlainRead:
    case StepKind::kPlainWrite: {
      const uintptr_t end = reinterpret_cast<uintptr_t>(operation.address) + size;
      if (size == 0 || size > kGroup || end > group + kGroup) return AddEverything();
      return AddAccess(group, operation.kind == StepKind::kPlainWrite);
    }
    case StepKind::kThreadCreate:
    case StepKind::kThreadJoin:
    case StepKind::kThreadEnd:
      AddAccess(kThreads, true);
      return;
    case StepKind::kYield:
      return;
    default:
      AddEverything();
  }
}

void Footprint::Join(const Footprint& other) {
  everything_ = everything_ || other.everything_;
  for (const Access& access : other.accesses_) AddAccess(access.place, access.changes);
}

bool Footprint::IsIndependentOf(const Footprint& other) const {
  if (everything_ || other.everything_) return false;
  for (const Access& mine : accesses_) {
    for (const Access& theirs : other.accesses_) {
      if (mine.place == theirs.place && (mine.changes || theirs.changes)) return false;
    }
  }
  return true;
}

// ---- an execution

bool SleepSets::Begin() {
  depth_ = 0;
  schedule_node_ = SIZE_MAX;
  moved_.Clear();
  may_time_out_ = 0;
  asleep_ = false;
  return !exhausted_;
}

bool SleepSets::BeginExecution() { return Begin(); }

bool SleepSets::Sleeps(const Node& node, int thread) {
  return std::ranges::find(node.sleepers, thread, &Sleeper::thread) != node.sleepers.end();
}

int SleepSets::FirstAwake(const Node& node) {
  for (const int thread : MembersOf(node.candidates)) {
    if (!Sleeps(node, thread)) return thread;
  }
  return -1;
}

// The thread that was picked last has come to its next pick.
void SleepSets::EndTransition() {
  if (schedule_node_ != SIZE_MAX) path_[schedule_node_].footprint.Join(moved_);
}

std::vector<SleepSets::Sleeper> SleepSets::StillAsleep() const {
  std::vector<Sleeper> sleepers;
  if (schedule_node_ == SIZE_MAX) return sleepers;
  const Node& before = path_[schedule_node_];
  for (const Sleeper& sleeper : before.sleepers) {
    if (sleeper.thread != before.choice && sleeper.footprint.IsIndependentOf(moved_))
      sleepers.push_back(sleeper);
  }
  return sleepers;
}

int SleepSets::ChooseThread(const Pick& pick) {
  if (surroundings_.invariants) moved_.AddEverything();
  EndTransition();
  if (depth_ == path_.size()) {
    Node node;
    node.is_schedule = true;
    node.choice = pick.first;
    node.candidates = pick.candidates;
    node.sleepers = StillAsleep();
    if (Sleeps(node, pick.first)) node.choice = FirstAwake(node);
    if (node.choice < 0) {
      asleep_ = true;
      return pick.first;
    }
    path_.push_back(std::move(node));
  }
  schedule_node_ = depth_++;
  const Node& node = path_[schedule_node_];
  // A program that does not do the same again may be somewhere else than it was.
  const int thread = Has(pick.candidates, node.choice) ? node.choice : pick.first;
  moved_.Clear();
  moved_.Add({pick.pending[thread].kind, pick.pending[thread].address}, 1);
  // One that has not begun is about to do something else than this, which will be told.
  if (pick.sites[thread] == 0) moved_.Clear();
  if (Has(may_time_out_, thread)) moved_.AddEverything();
  Remove(may_time_out_, thread);
  return thread;
}

int SleepSets::Choose(const Pick& pick) {
  const bool is_schedule = pick.kind == PickKind::kSchedule;
  if (asleep_) return 0;
  if (is_schedule) return ChoiceOfThread(pick, ChooseThread(pick));
  if (depth_ == path_.size()) path_.emplace_back().alternatives = pick.alternatives;
  return std::min(path_[depth_++].choice, pick.alternatives - 1);
}

void SleepSets::OnStep(const Step& step, Site site) {
  moved_.Add({step.kind, step.address, site}, step.size);
}

void SleepSets::OnBlock(int /*thread*/, StepKind kind, const void* address, Site site) {
  moved_.Add({kind, address, site}, 1);
}

void SleepSets::OnHeap(const void* block, size_t size, bool freed) {
  if (freed) {
    moved_.AddFree(block, size, surroundings_.reuses_memory);
  } else {
    moved_.AddAllocation();
  }
}

void SleepSets::OnTimedBlock(int thread) {
  Insert(may_time_out_, thread);
  moved_.AddEverything();
}

// ---- from one to the next

void SleepSets::EndExecution(const Verdict& verdict) {
  if (!verdict.passed()) moved_.AddEverything();  // it was cut off
  if (!asleep_) EndTransition();
  path_.resize(depth_);
  for (; !path_.empty(); path_.pop_back()) {
    Node& node = path_.back();
    if (!node.is_schedule) {
      if (node.choice + 1 >= node.alternatives) continue;
      ++node.choice;
      return;
    }
    node.sleepers.push_back({node.choice, std::exchange(node.footprint, {})});
    node.choice = FirstAwake(node);
    if (node.choice >= 0) return;
  }
  exhausted_ = true;
}

}  // namespace jacquard
