#include "sim/lock_order.h"

#include <sys/mman.h>

#include <algorithm>
#include <vector>

#include "sim/engine.h"
#include "sim/message.h"
#include "sim/recorder.h"

namespace jacquard {

bool HaveCommonGate(const LockNesting& one, const LockNesting& other) {
  for (int i = 0; i < one.held_count; ++i) {
    for (int j = 0; j < other.held_count; ++j) {
      const bool both_share = one.held[i].shared && other.held[j].shared;
      if (one.held[i].lock == other.held[j].lock && !both_share) return true;
    }
  }
  return false;
}

}  // namespace jacquard

namespace jacquard::sim {

constinit LockOrder lock_order;

namespace {

// A cycle that was tried so often in vain is left alone in this process.
constexpr int kMostTries = 16;
constexpr size_t kMostTried = 4096;
// So many cycles of one execution are tried.
constexpr size_t kMostCycles = 8;
// So many nestings does the search for cycles look at.
constexpr int kSearchBudget = 20'000;

uint64_t Mix(uint64_t hash, uint64_t value) {
  hash = (hash ^ value) * 0x9E37'79B9'7F4A'7C15;
  return hash ^ (hash >> 29);
}

uint64_t Mix(uint64_t hash, const LockNesting::Lock& lock) {
  return Mix(hash, reinterpret_cast<uintptr_t>(lock.lock) * 2 + lock.shared);
}

LockNesting::Lock Describe(const HeldLock& held) {
  return {held.lock, held.kind == HeldKind::kShared};
}

}  // namespace

// ---- while an execution is going on

void LockOrder::Begin(bool wanted) {
  deadlocked_ = 0;
  if (rests_) return;
  wanted_ = wanted;
  engine.heap_when_alone = 0;
  count_ = answer_count_ = 0;
  fork_count_ = 0;
  key_ = 0;
  if (!places_.empty()) places_.clear();
  if (!cycles_.empty()) cycles_.clear();
}

void LockOrder::Nest(const SimThread& thread) {
  if (!wanted_ || rests_ || thread.held.IsIncomplete()) return;
  const HeldLock* const taken = thread.held.end() - 1;
  uint64_t key = Mix(Mix(thread.lineage, fork_count_), Describe(*taken));
  for (const HeldLock* held = thread.held.begin(); held != taken; ++held) {
    if (held->lock == taken->lock) return;
    key = Mix(key, Describe(*held));
  }
  if (count_ == 0) std::fill_n(recent_, kRecent, 0);
  for (const HeldLock* outer = thread.held.begin(); outer != taken; ++outer) {
    const uint64_t nesting_key = Mix(key, Describe(*outer));
    if (recent_[nesting_key % kRecent] != nesting_key) [[unlikely]]
      Add(thread, *outer, *taken, nesting_key);
  }
}

void LockOrder::Add(const SimThread& thread, const HeldLock& outer, const HeldLock& inner,
                    uint64_t key) {
  for (int i = 0; i < count_; ++i) {
    if (nestings_[i].key == key) return;
  }
  // What else it holds keeps others out; with too many nobody can tell.
  const bool too_many = &inner - thread.held.begin() > LockNesting::kMostHeld;
  if (count_ == kMostNestings || too_many) return;
  recent_[key % kRecent] = key;
  if (nestings_ == nullptr) {
    void* const pages = mmap(nullptr, kMostNestings * sizeof(LockNesting), PROT_READ | PROT_WRITE,
                             MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED) Die("no memory for the order of locks");
    nestings_ = static_cast<LockNesting*>(pages);
  }
  LockNesting& nesting = nestings_[count_++];
  nesting.thread = thread.id;
  nesting.lineage = thread.lineage;
  nesting.outer = Describe(outer);
  nesting.inner = Describe(inner);
  nesting.outer_pc = outer.pc;
  nesting.inner_pc = inner.pc;
  nesting.outer_step = outer.step;
  nesting.inner_step = inner.step;
  nesting.outer_number = outer.number;
  nesting.inner_number = inner.number;
  nesting.forks = fork_count_;
  nesting.operation = thread.operation;
  nesting.held_count = 0;
  for (const HeldLock* held = thread.held.begin(); held != &inner; ++held)
    nesting.held[nesting.held_count++] = Describe(*held);
  nesting.key = key;
  key_ += key;
  if (engine.recorder == nullptr) return;
  const Backstage backstage;
  engine.recorder->AddPlacesOfNesting(nesting, places_);
}

// ---- what creations and joins order

bool LockOrder::IsBefore(const LockNesting& one, const LockNesting& other) const {
  ThreadSet after = SetOfThread(one.thread);
  for (uint32_t i = one.forks; i < other.forks; ++i) {
    const ForkEvent& event = forks_[i];
    if (Has(after, From(event))) {
      Insert(after, To(event));
    } else if (!event.joins) {
      Remove(after, event.whom);  // the number of one that has ended is used again
    }
  }
  return one.thread != other.thread && Has(after, other.thread);
}

std::vector<uint64_t> LockOrder::EndedBefore(const LockNesting& nesting) const {
  std::vector<uint64_t> ended;
  const uint32_t forks = std::min<uint32_t>(nesting.forks, kMostForks);
  for (uint32_t end = 0; end < forks; ++end) {
    if (!forks_[end].joins) continue;
    ThreadSet after = SetOfThread(forks_[end].who);
    for (uint32_t i = end + 1; i < forks; ++i) {
      if (Has(after, From(forks_[i]))) Insert(after, To(forks_[i]));
    }
    if (Has(after, nesting.thread)) ended.push_back(forks_[end].lineage);
  }
  return ended;
}

std::vector<uint64_t> LockOrder::CreatedAfter(const LockNesting& nesting) const {
  std::vector<uint64_t> created;
  ThreadSet after = SetOfThread(nesting.thread);
  for (uint32_t i = nesting.forks; i < std::min<uint32_t>(fork_count_, kMostForks); ++i) {
    const ForkEvent& event = forks_[i];
    if (!Has(after, From(event))) continue;
    Insert(after, To(event));
    if (!event.joins) created.push_back(event.lineage);
  }
  return created;
}

// ---- cycles

uint64_t LockOrder::ForksKey() const {
  uint64_t key = key_;
  for (uint32_t i = 0; i < fork_count_; ++i) {
    const ForkEvent& event = forks_[i];
    key = Mix(key, event.lineage);
    key = Mix(key, static_cast<uint64_t>(event.who) * 2 + event.joins);
  }
  return key;
}

bool LockOrder::FindCycles() {
  if (fork_count_ > kMostForks) return false;
  const uint64_t key = ForksKey();
  uint64_t& known = known_[key % kKnown];
  if (known == key) return false;
  const RealHeap real_heap;
  int budget = kSearchBudget;
  for (int i = 0; i < count_; ++i) {
    LockCycle path = {.size = 1, .nestings = {static_cast<uint16_t>(i)}};
    Extend(path, budget);
  }
  if (cycles_.empty()) known = key;
  const auto is_acquitted = [&](const LockCycle& cycle) {
    const uint64_t cycle_key = CycleKey(cycle);
    return tried_.size() == kMostTried ||
           std::any_of(tried_.begin(), tried_.end(), [cycle_key](const auto& entry) {
             return entry.first == cycle_key && entry.second >= kMostTries;
           });
  };
  std::erase_if(cycles_, is_acquitted);
  return !cycles_.empty();
}

// Adds the cycles that `path` is the beginning of. A cycle is found from its first nesting.
void LockOrder::Extend(LockCycle& path, int& budget) {
  const LockNesting& last = nestings_[path.nestings[path.size - 1]];
  const LockNesting& first = nestings_[path.nestings[0]];
  if (path.size > 1 && WaitsFor(last, first)) cycles_.push_back(path);
  if (path.size == LockCycle::kMost) return;
  for (int i = path.nestings[0] + 1; i < count_; ++i) {
    if (cycles_.size() == kMostCycles || --budget < 0) return;
    const LockNesting& next = nestings_[i];
    if (!WaitsFor(last, next)) continue;
    bool fits = true;
    for (int j = 0; j < path.size && fits; ++j) {
      const LockNesting& other = nestings_[path.nestings[j]];
      fits = other.thread != next.thread && !HaveCommonGate(other, next) &&
             !IsBefore(other, next) && !IsBefore(next, other);
    }
    if (!fits) continue;
    path.nestings[path.size++] = static_cast<uint16_t>(i);
    Extend(path, budget);
    --path.size;
  }
}

// By the code and the threads: which locks they are may change from one execution to the next.
uint64_t LockOrder::CycleKey(const LockCycle& cycle) const {
  uint64_t key = 0;
  for (int i = 0; i < cycle.size; ++i) {
    const LockNesting& nesting = nestings_[cycle.nestings[i]];
    key += Mix(Mix(nesting.lineage, nesting.outer_pc), nesting.inner_pc);
  }
  return key;
}

void LockOrder::AcquitAll() {
  for (const LockCycle& cycle : cycles_) {
    const uint64_t key = CycleKey(cycle);
    const auto entry = std::find_if(tried_.begin(), tried_.end(),
                                    [key](const auto& other) { return other.first == key; });
    if (entry != tried_.end()) {
      ++entry->second;
    } else if (tried_.size() < kMostTried) {
      tried_.push_back({key, 1});
    }
  }
}

std::vector<int> LockOrder::AnswersOf(PickKind kind, int thread) const {
  std::vector<int> choices;
  for (int i = 0; i < answer_count_; ++i) {
    if (answers_[i].kind == kind && answers_[i].thread == thread)
      choices.push_back(answers_[i].choice);
  }
  return choices;
}

}  // namespace jacquard::sim

namespace jacquard {

using sim::lock_order;

LockNestings LastLockNestings() { return {lock_order.nestings(), lock_order.key()}; }

std::vector<uint64_t> LockNestings::EndedBefore(size_t i) const {
  return lock_order.EndedBefore(all[i]);
}

std::vector<uint64_t> LockNestings::CreatedAfter(size_t i) const {
  return lock_order.CreatedAfter(all[i]);
}

std::span<const TracePlace> LockNestings::Places(size_t i) const {
  const std::span<const TracePlace> places = lock_order.places();
  return places.size() < kPlaces * (i + 1) ? std::span<const TracePlace>()
                                           : places.subspan(kPlaces * i, kPlaces);
}

uint64_t LockNestings::FixedIdentity(const void* lock) {
  const auto address = reinterpret_cast<uintptr_t>(lock);
  const bool of_first_thread = address - sim::kStackArea < sim::kStackStride;
  if (of_first_thread || sim::engine.rollback.Covers(lock)) return sim::Mix(1, address);
  const uintptr_t when_alone = sim::engine.heap_when_alone;
  if (address - sim::kArenaBase >= when_alone) return 0;
  return sim::Mix(sim::Mix(2, address), when_alone);
}

}  // namespace jacquard
