#include "sim/rff.h"

#include <algorithm>
#include <utility>

namespace jacquard {

uint64_t Rff::KeyOf(const Pair& pair) {
  constexpr uint64_t kOdd = 0x9E37'79B9'7F4A'7C15;
  uint64_t key = pair.reader * kOdd;
  key = (key ^ (key >> 32)) + pair.writer;
  key *= kOdd;
  return key ^ (key >> 29);
}

// ---- the schedule of an execution

void Rff::Begin() {
  MakeSchedule();
  progress_.assign(schedule_.size(), {});
  drawn_ = 0;
  std::ranges::fill(held_back_, 0);
  gives_up_ = false;
}

size_t Rff::LeastTried() {
  uint32_t least = UINT32_MAX;
  int count = 0;
  for (const Known& known : pairs_) {
    const uint32_t times = known.tries + known.seen;
    if (times > least) continue;
    count = times < least ? 1 : count + 1;
    least = times;
  }
  int left = Below(count);
  for (size_t place = 0;; ++place) {
    if (pairs_[place].tries + pairs_[place].seen == least && left-- == 0) return place;
  }
}

Rff::Wish Rff::MakeWish() {
  if (Below(4) != 0) {
    tried_ = LeastTried();
    return {pairs_[tried_].pair, true};
  }
  const auto place = static_cast<size_t>(Below(static_cast<int>(pairs_.size())));
  constexpr int kOf = 9;  // one wish of so many is to be fulfilled
  return {pairs_[place].pair, Below(kOf) == 0};
}

void Rff::MakeSchedule() {
  constexpr int kWithout = 8;  // one execution of so many has no wish
  schedule_.clear();
  tried_ = SIZE_MAX;
  if (pairs_.empty() || Below(kWithout) == 0) return;
  if (!kept_.empty() && Below(2) == 0)
    schedule_ = kept_[static_cast<size_t>(Below(static_cast<int>(kept_.size())))];
  if (schedule_.size() == kMostWishes)
    schedule_.erase(schedule_.begin() + Below(static_cast<int>(kMostWishes)));
  schedule_.push_back(MakeWish());
}

// ---- who runs

bool Rff::ReadAt(Site reader, const void* address) const {
  const int object = objects_.Find(address);
  if (object < 0 || static_cast<size_t>(object) >= known_objects_.size()) return false;
  const std::vector<Site>& readers = known_objects_[static_cast<size_t>(object)].readers;
  return std::ranges::find(readers, reader) != readers.end();
}

int Rff::Rank(const Operation& operation) const {
  if (operation.address == nullptr || gives_up_) return 0;
  bool serves = false;
  bool spoils = false;
  for (size_t i = 0; i < schedule_.size(); ++i) {
    const Wish& wish = schedule_[i];
    const Progress& progress = progress_[i];
    if (progress.state == State::kOver) continue;
    const bool is_reader = operation.site == wish.pair.reader && Looks(operation);
    if (wish.pair.writer == kInitial) {
      const bool untouched = !writers_.contains(operation.address);
      if (!untouched) continue;
      const bool writes_first =
          !is_reader && Changes(operation) && ReadAt(wish.pair.reader, operation.address);
      (wish.fulfilled ? serves : spoils) |= is_reader;
      (wish.fulfilled ? spoils : serves) |= writes_first;
    } else if (progress.state == State::kWaits) {
      if (!wish.fulfilled) continue;  // nothing can go wrong yet
      serves |= operation.site == wish.pair.writer && Changes(operation);
      spoils |= is_reader;
    } else if (objects_.Find(operation.address) == progress.object) {
      (wish.fulfilled ? serves : spoils) |= is_reader;
      (wish.fulfilled ? spoils : serves) |= !is_reader && Changes(operation);
    }
  }
  return static_cast<int>(serves) - static_cast<int>(spoils);
}

// What is wished for may wait for whom it holds back.
void Rff::HoldBack(ThreadSet threads, int of) {
  for (const int thread : MembersOf(threads)) {
    if (++held_back_[thread] > kMostHeldBack * of) gives_up_ = true;
  }
}

int Rff::NextThread(const Pick& pick) {
  ThreadSet eligible = pick.candidates;
  if (IsToLetOthersGo(pick)) Remove(eligible, pick.thread);
  for (const int thread : MembersOf(pick.candidates & ~drawn_)) priority_[thread] = DrawPriority();
  drawn_ |= pick.candidates;
  int best = -1;
  int best_rank = 0;
  ThreadSet of_best_rank = 0;
  Operation runs;
  for (const int thread : MembersOf(eligible)) {
    const Operation operation = forecast_.Of(pick, thread);
    const int rank = Rank(operation);
    if (best < 0 || rank > best_rank) of_best_rank = 0;
    if (best < 0 || rank >= best_rank) Insert(of_best_rank, thread);
    if (best >= 0 &&
        (rank < best_rank || (rank == best_rank && priority_[thread] < priority_[best])))
      continue;
    best = thread;
    best_rank = rank;
    runs = operation;
  }
  for (const int thread : MembersOf(drawn_)) {
    if (thread == best || Race(runs, {pick.pending[thread].kind, pick.pending[thread].address}))
      Remove(drawn_, thread);
  }
  HoldBack(eligible & ~of_best_rank, pick.alternatives);
  return best;
}

// ---- what happens

void Rff::OnBegin(const Surroundings& /*surroundings*/) {
  forecast_.Begin();
  writers_.clear();
  operations_.clear();
  observed_.clear();
  met_.clear();
}

void Rff::Advance(const Operation& operation) {
  const bool untouched = !writers_.contains(operation.address);
  for (size_t i = 0; i < schedule_.size(); ++i) {
    const Wish& wish = schedule_[i];
    Progress& progress = progress_[i];
    if (progress.state == State::kOver) continue;
    const bool is_reader = operation.site == wish.pair.reader && Looks(operation);
    if (wish.pair.writer == kInitial) {
      if (is_reader && untouched) progress.state = State::kOver;
      continue;
    }
    const int object = objects_.Find(operation.address);
    if (progress.state == State::kWritten && object == progress.object) {
      if (is_reader) {
        progress.state = State::kOver;
        continue;
      }
      if (Changes(operation)) progress.state = State::kWaits;
    }
    if (progress.state == State::kWaits && operation.site == wish.pair.writer &&
        Changes(operation)) {
      progress = {State::kWritten, object};
    }
  }
}

void Rff::OnStep(const Step& step, Site site) {
  forecast_.OnStep(step, site);
  held_back_[step.thread] = 0;
  if (step.address == nullptr) return;
  if (objects_.size() < kMostObjects) objects_.Of(step.address);
  const Operation operation = {step.kind, step.address, site};
  Advance(operation);
  const auto writer = writers_.find(step.address);
  if (Looks(operation) && step.newest) {
    const Pair pair = {site, writer == writers_.end() ? kInitial : writer->second};
    if (met_.try_emplace(KeyOf(pair), true).second) observed_.push_back(pair);
  }
  if (Changes(operation)) writers_[step.address] = site;
  const Pair place = {site, static_cast<Site>(reinterpret_cast<uintptr_t>(step.address)) << 1 | 1};
  if (met_.try_emplace(KeyOf(place), true).second) operations_.push_back(operation);
}

// ---- what is learned

void Rff::AddPair(const Pair& pair) {
  if (pairs_.size() == kMostPairs) return;
  if (place_of_pair_.try_emplace(KeyOf(pair), pairs_.size()).second) pairs_.push_back({pair});
}

void Rff::Learn(const Operation& operation) {
  const int number = objects_.Find(operation.address);
  if (number < 0) return;
  const auto place = static_cast<size_t>(number);
  if (place >= known_objects_.size()) known_objects_.resize(place + 1);
  Object& object = known_objects_[place];
  if (Looks(operation) &&
      std::ranges::find(object.readers, operation.site) == object.readers.end()) {
    object.readers.push_back(operation.site);
    for (const Site writer : object.writers) AddPair({operation.site, writer});
  }
  if (Changes(operation) &&
      std::ranges::find(object.writers, operation.site) == object.writers.end()) {
    object.writers.push_back(operation.site);
    for (const Site reader : object.readers) AddPair({reader, operation.site});
  }
}

bool Rff::LearnPair(const Pair& pair) {
  AddPair(pair);
  const auto place = place_of_pair_.find(KeyOf(pair));
  return place != place_of_pair_.end() && pairs_[place->second].seen++ == 0;
}

void Rff::EndExecution(const Verdict& /*verdict*/) {
  forecast_.End();
  for (const Operation& operation : operations_) Learn(operation);
  bool any_new = false;
  for (const Pair& pair : observed_) any_new |= LearnPair(pair);
  if (tried_ != SIZE_MAX) ++pairs_[tried_].tries;
  if (!any_new || schedule_.empty()) return;
  if (kept_.size() == kMostKept) kept_.erase(kept_.begin());
  kept_.push_back(std::move(schedule_));
  schedule_.clear();
}

}  // namespace jacquard
