#include "sim/surw.h"

#include <algorithm>

namespace jacquard {
namespace {

// Counts for one more thread if need be.
template <class Number>
Number& At(std::vector<Number>& counts, int index) {
  const auto place = static_cast<size_t>(index);
  if (place >= counts.size()) counts.resize(place + 1);
  return counts[place];
}

}  // namespace

void StepCounts::Add(int number, uint32_t steps) { At(total_, number) += steps; }

int64_t StepCounts::Of(int number) const {
  const auto place = static_cast<size_t>(number);
  if (place >= total_.size() || total_[place] == 0 || executions_ == 0) return 0;
  const uint64_t mean = (total_[place] + executions_ / 2) / executions_;
  return static_cast<int64_t>(std::max<uint64_t>(1, mean));
}

// ---- URW

void Urw::OnBegin(const Surroundings& /*surroundings*/) {
  forecast_.Begin();
  std::ranges::fill(taken_, 0);
  std::ranges::fill(all_, 0);
  std::ranges::fill(born_, false);
}

void Urw::OnStep(const Step& step, Site site) {
  forecast_.OnStep(step, site);
  const int number = forecast_.NumberOf(step.thread);
  ++At(all_, number);
  if (IsSelected({step.kind, step.address, site})) ++At(taken_, number);
}

void Urw::EndExecution(const Verdict& /*verdict*/) {
  forecast_.End();
  for (size_t number = 0; number < all_.size(); ++number) {
    if (all_[number] != 0) steps_.Add(static_cast<int>(number), all_[number]);
  }
  steps_.EndExecution();
}

int Urw::DrawByWeight(ThreadSet threads) {
  // Those that have no number yet get one.
  for (const int thread : MembersOf(threads)) forecast_.NumberOf(thread);
  for (int thread = 0; thread < forecast_.ids(); ++thread) forecast_.NumberOf(thread);
  born_.assign(static_cast<size_t>(forecast_.numbers()), false);
  for (int thread = 0; thread < forecast_.ids(); ++thread)
    born_[static_cast<size_t>(forecast_.NumberOf(thread))] = true;
  left_.assign(static_cast<size_t>(forecast_.numbers()), 0);
  for (int number = 0; number < forecast_.numbers(); ++number) {
    const auto place = static_cast<size_t>(number);
    const int64_t taken = place < taken_.size() ? taken_[place] : 0;
    const int64_t expected = Expected(number);
    if (expected == 0) continue;
    // Of a thread that is yet to be created, its creator's.
    int owner = number;
    while (owner >= 0 && !born_[static_cast<size_t>(owner)]) owner = forecast_.ParentOf(owner);
    if (owner >= 0) left_[static_cast<size_t>(owner)] += std::max<int64_t>(1, expected - taken);
  }
  int64_t sum = 0;
  for (const int thread : MembersOf(threads))
    sum += left_[static_cast<size_t>(forecast_.NumberOf(thread))];
  if (sum == 0) return -1;
  auto place = static_cast<int64_t>(stream_.Next() % static_cast<uint64_t>(sum));
  for (const int thread : MembersOf(threads)) {
    place -= left_[static_cast<size_t>(forecast_.NumberOf(thread))];
    if (place < 0) return thread;
  }
  return -1;
}

int Urw::NextThread(const Pick& pick) {
  ThreadSet eligible = pick.candidates;
  if (IsToLetOthersGo(pick)) Remove(eligible, pick.thread);
  const int drawn = DrawByWeight(eligible);
  if (drawn >= 0) return drawn;
  return NthOf(eligible, Below(CountOf(eligible)));
}

// ---- SURW

void Surw::Begin() {
  held_ = drawn_ = 0;
  intended_ = last_ = -1;
  in_a_row_ = 0;
  uses_.clear();
  place_of_use_.clear();
  selected_.assign(static_cast<size_t>(objects_.size()), false);
  selection_.clear();
  if (shared_.empty()) return;
  if (Below(2) == 0) {
    selection_.push_back(shared_[static_cast<size_t>(Below(static_cast<int>(shared_.size())))]);
  } else {
    for (const int object : shared_) {
      if (Below(2) == 0) selection_.push_back(object);
    }
  }
  for (const int object : selection_) selected_[static_cast<size_t>(object)] = true;
}

bool Surw::IsSelected(const Operation& operation) const {
  if (operation.address == nullptr) return false;
  const int object = objects_.Find(operation.address);
  return object >= 0 && static_cast<size_t>(object) < selected_.size() &&
         selected_[static_cast<size_t>(object)];
}

int64_t Surw::Expected(int number) const {
  int64_t sum = 0;
  for (const int object : selection_) sum += profile_[static_cast<size_t>(object)].steps.Of(number);
  return sum;
}

void Surw::OnStep(const Step& step, Site site) {
  Urw::OnStep(step, site);
  const Operation operation = {step.kind, step.address, site};
  if (step.address == nullptr) return;
  if (step.thread == intended_ && IsSelected(operation)) {
    intended_ = -1;
    held_ = 0;
  }
  const int object =
      objects_.size() < kMostObjects ? objects_.Of(step.address) : objects_.Find(step.address);
  if (object < 0) return;
  const int number = forecast_.NumberOf(step.thread);
  const uint64_t key = static_cast<uint64_t>(object) << 32 | static_cast<uint32_t>(number);
  const auto [place, is_new] = place_of_use_.try_emplace(key, uses_.size());
  if (is_new) uses_.push_back({object, number, 0, false});
  Use& use = uses_[place->second];
  ++use.steps;
  use.changed = use.changed || Changes(operation);
}

void Surw::EndExecution(const Verdict& verdict) {
  Urw::EndExecution(verdict);
  profile_.resize(static_cast<size_t>(objects_.size()));
  for (const Use& use : uses_) {
    Object& object = profile_[static_cast<size_t>(use.object)];
    object.steps.Add(use.number, use.steps);
    if (object.first_thread < 0) object.first_thread = use.number;
    const bool was = object.shared && object.changed;
    object.shared = object.shared || object.first_thread != use.number;
    object.changed = object.changed || use.changed;
    if (!was && object.shared && object.changed) shared_.push_back(use.object);
  }
  for (Object& object : profile_) object.steps.EndExecution();
}

ThreadSet Surw::Runnable(const Pick& pick) {
  ThreadSet eligible = pick.candidates & ~held_;
  if (eligible == 0 || in_a_row_ > kMostInARow) {
    // Who is to be next waits for somebody who is held back.
    held_ = drawn_ = 0;
    intended_ = -1;
    in_a_row_ = 0;
    eligible = pick.candidates;
  }
  if (IsToLetOthersGo(pick) && eligible != SetOfThread(pick.thread)) Remove(eligible, pick.thread);
  return eligible;
}

int Surw::Foremost(ThreadSet threads) const {
  int best = FirstOf(threads);
  for (const int thread : MembersOf(threads)) {
    if (priority_[thread] > priority_[best]) best = thread;
  }
  return best;
}

int Surw::Run(int thread) {
  Remove(drawn_, thread);
  in_a_row_ = thread == last_ ? in_a_row_ + 1 : 1;
  last_ = thread;
  return thread;
}

int Surw::NextThread(const Pick& pick) {
  for (;;) {
    const ThreadSet eligible = Runnable(pick);
    for (const int thread : MembersOf(eligible & ~drawn_)) priority_[thread] = DrawPriority();
    drawn_ |= eligible;
    const int first = Foremost(eligible);
    if (!IsSelected(forecast_.Of(pick, first))) return Run(first);
    if (intended_ < 0) intended_ = DrawByWeight(pick.candidates);
    if (intended_ < 0) return Run(first);
    // The foremost one that is not held back, and those before it that are, now.
    int best = -1;
    for (const int thread : MembersOf(eligible)) {
      if (best >= 0 && priority_[thread] <= priority_[best]) continue;
      if (thread == intended_ || !IsSelected(forecast_.Of(pick, thread))) best = thread;
    }
    for (const int thread : MembersOf(eligible)) {
      if (best < 0 || priority_[thread] > priority_[best]) Insert(held_, thread);
    }
    if (best >= 0) return Run(best);
  }
}

}  // namespace jacquard
