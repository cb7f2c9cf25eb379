#include "sim/portfolio.h"

#include <algorithm>

#include "sim/strategies.h"
#include "sim/verdict.h"

namespace jacquard {

Portfolio::Portfolio(uint64_t seed) {
  constexpr double kFast = 16;
  constexpr double kUsual = 2;
  constexpr double kSpecial = 1;
  Add("random", seed, kFast);
  Add("pct", seed, kUsual);
  Add("rff", seed, kUsual);
  Add("pos", seed, kUsual);
  Add("surw", seed, kSpecial);
  Add("urw", seed, kSpecial);
  Add("random:0.1", seed, kSpecial);
  Add("turns", seed, kSpecial);
  Add("pctwm", seed, kSpecial);
  Add("delays:2:0", seed, kSpecial);
}

Portfolio::Portfolio(std::string_view name, uint64_t seed) { Add(name, seed, 1); }

Portfolio::~Portfolio() = default;

void Portfolio::Add(std::string_view name, uint64_t seed, double base) {
  Member& member = members_.emplace_back();
  member.share.name = name;
  member.strategy = MakeStrategy(name, seed);
  member.base = base;
}

Portfolio::Member* Portfolio::Next() {
  Member* next = nullptr;
  for (Member& member : members_) {
    if (!member.done && (next == nullptr || member.pass < next->pass)) next = &member;
  }
  return next;
}

bool Portfolio::BeginExecution() {
  for (;;) {
    Member* const next = Next();
    if (next == nullptr) return false;
    current_ = next;
    if (current_->strategy->BeginExecution()) break;
    current_->done = true;
  }
  Prepare();
  return true;
}

bool Portfolio::RepeatExecution() {
  const bool repeats = current_->strategy->RepeatExecution();
  Prepare();
  return repeats;
}

void Portfolio::Prepare() {
  constexpr uint64_t kLookAtFirst = 8;
  constexpr uint64_t kLookEvery = 16;
  answers_ = current_->strategy->answers();
  const uint64_t before = current_->share.executions;
  looks_ = before < kLookAtFirst || before % kLookEvery == 0;
  listens_ = looks_ || MemberListens();
}

void Portfolio::EndExecution(const Verdict& verdict) {
  constexpr double kDecay = 1.0 / 8;
  constexpr double kMostGain = 15;
  Member& member = *current_;
  member.strategy->EndExecution(verdict);
  ++member.share.executions;
  if (!verdict.passed() && ++member.share.failures == 1)
    member.share.first_failure = member.share.executions;
  if (looks_) {
    for (const uint64_t behaviour : shown_) {
      if (known_.size() == kMostBehaviours || !known_.insert(behaviour).second) continue;
      behaviours_.push_back(behaviour);
    }
    member.share.behaviours += shown_.size();
    member.news += kDecay * ((shown_.empty() ? 0 : 1) - member.news);
  }
  // At first all are equal: nothing is known of any of them.
  constexpr uint64_t kEqualAtFirst = 4;
  constexpr double kEqual = 16;
  const double weight = member.share.executions <= kEqualAtFirst
                            ? kEqual
                            : member.base * (1 + kMostGain * member.news);
  member.pass += 1 / weight;
}

// ---- what is heard

void Portfolio::OnBegin(const Surroundings& surroundings) {
  last_.clear();
  shown_.clear();
  if (MemberListens()) current_->strategy->OnBegin(surroundings);
}

void Portfolio::OnStep(const Step& step, Site site) {
  if (MemberListens()) current_->strategy->OnStep(step, site);
  if (!looks_ || step.address == nullptr) return;
  const auto [place, is_first] = last_.try_emplace(step.address, Last{site, step.thread});
  if (is_first) return;
  Last& last = place->second;
  if (last.thread != step.thread) {
    constexpr uint64_t kOdd = 0x9E37'79B9'7F4A'7C15;
    uint64_t behaviour = (last.site * kOdd ^ (last.site >> 32)) + site;
    behaviour = (behaviour ^ (behaviour >> 29)) * kOdd;
    if (!known_.contains(behaviour) && std::ranges::find(shown_, behaviour) == shown_.end())
      shown_.push_back(behaviour);
  }
  last = {site, step.thread};
}

void Portfolio::OnBlock(int thread, StepKind kind, const void* address, Site site) {
  if (MemberListens()) current_->strategy->OnBlock(thread, kind, address, site);
}

void Portfolio::OnTimedBlock(int thread) {
  if (MemberListens()) current_->strategy->OnTimedBlock(thread);
}

void Portfolio::OnHeap(const void* block, size_t size, bool freed) {
  if (MemberListens()) current_->strategy->OnHeap(block, size, freed);
}

double Portfolio::ShareDone() const {
  return members_.size() == 1 ? members_.front().strategy->ShareDone() : -1;
}

std::vector<StrategyShare> Portfolio::Shares() const {
  std::vector<StrategyShare> shares;
  for (const Member& member : members_) shares.push_back(member.share);
  return shares;
}

}  // namespace jacquard
