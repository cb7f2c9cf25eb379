#include "sim/minimizer.h"

#include <algorithm>
#include <chrono>
#include <limits>
#include <utility>

#include "sim/execute.h"

namespace jacquard {
namespace {

// The search in one call of Minimize gets this share of the executions that are left.
constexpr uint64_t kShareOfSearch = 2;
// Longer lists are first cut down by other means: the search would not get far.
constexpr size_t kMostLevels = 8;

uint64_t SteadyNow() {
  return static_cast<uint64_t>(
      std::chrono::nanoseconds(std::chrono::steady_clock::now().time_since_epoch()).count());
}

// A pick that was answered.
struct Taken {
  bool of_memory = false;
  bool of_schedule = false;
  int alternatives = 0;
  int choice = 0;
  int thread = -1;  // of_schedule: who was chosen
};

// A stretch of picks in which one thread was chosen.
struct Stretch {
  int thread = -1;
  size_t picks = 0;
};

Choices ChoicesOf(const std::vector<Taken>& course) {
  Choices choices;
  uint32_t gap = 0;
  uint32_t memory_gap = 0;
  for (const Taken& pick : course) {
    uint32_t& before = pick.of_memory ? memory_gap : gap;
    if (pick.choice == 0) {
      ++before;
      continue;
    }
    (pick.of_memory ? choices.of_memory : choices.others)
        .push_back({before, static_cast<uint32_t>(pick.choice - 1)});
    before = 0;
  }
  return choices;
}

std::vector<Stretch> StretchesOf(const std::vector<Taken>& course) {
  std::vector<Stretch> stretches;
  for (const Taken& pick : course) {
    if (!pick.of_schedule) continue;
    if (stretches.empty() || stretches.back().thread != pick.thread)
      stretches.push_back({pick.thread, 0});
    ++stretches.back().picks;
  }
  return stretches;
}

}  // namespace

std::vector<Exception> WithoutAndCloser(const std::vector<Exception>& list, size_t i,
                                        size_t count) {
  std::vector<Exception> result = list;
  const auto first = result.begin() + static_cast<ptrdiff_t>(i);
  result.erase(first, first + static_cast<ptrdiff_t>(count));
  return result;
}

std::vector<Exception> WithoutInPlace(const std::vector<Exception>& list, size_t i, size_t count) {
  std::vector<Exception> result = WithoutAndCloser(list, i, count);
  if (i == result.size()) return result;
  for (size_t removed = i; removed < i + count; ++removed) result[i].gap += list[removed].gap + 1;
  return result;
}

ScheduleCost CostOf(const Choices& choices) {
  ScheduleCost cost{.others = choices.others.size(), .of_memory = choices.of_memory.size()};
  for (const auto* const list : {&choices.others, &choices.of_memory}) {
    for (const Exception& exception : *list) {
      cost.values += exception.choice;
      cost.gaps += exception.gap;
    }
  }
  return cost;
}

// Answers as one of three kinds of lists says, and writes down all that it has answered.
class ScheduleMinimizer::Player : public Strategy {
 public:
  // Exceptions to the benign choice.
  explicit Player(const Choices& choices) {
    lists_.Set(choices.others, choices.of_memory);
    lists_.BeginExecution();
  }
  // The first picks as given, then benign ones.
  explicit Player(const std::vector<int>& prefix) : prefix_(&prefix) {}
  // Threads by stretches; the memory's picks, and those of other kinds, as in `choices`.
  Player(const std::vector<Stretch>& stretches, const Choices& choices,
         const std::vector<int>& other_kinds)
      : stretches_(&stretches), other_kinds_(&other_kinds) {
    lists_.Set({}, choices.of_memory);
    lists_.BeginExecution();
  }

  bool BeginExecution() override { return true; }
  int Choose(const Pick& pick) override {
    const bool of_schedule = pick.kind == PickKind::kSchedule;
    const int choice = std::clamp(Answer(pick), 0, pick.alternatives - 1);
    course.push_back({IsOfMemory(pick.kind), of_schedule, pick.alternatives, choice,
                      of_schedule ? ThreadOfChoice(pick, choice) : -1});
    return choice;
  }

  std::vector<Taken> course;

 private:
  int Answer(const Pick& pick) {
    if (prefix_ != nullptr) return course.size() < prefix_->size() ? (*prefix_)[course.size()] : 0;
    if (IsOfMemory(pick.kind)) return lists_.TakeBenignMemoryPick() ? 0 : lists_.Choose(pick);
    if (stretches_ == nullptr) return lists_.TakeBenignPick() ? 0 : lists_.Choose(pick);
    if (pick.kind != PickKind::kSchedule) {
      return next_other_ < other_kinds_->size() ? (*other_kinds_)[next_other_++] : 0;
    }
    // A thread that cannot run gives the rest of its stretch up.
    for (; stretch_ < stretches_->size(); ++stretch_, picks_ = 0) {
      const Stretch& stretch = (*stretches_)[stretch_];
      if (picks_ == stretch.picks || !Has(pick.candidates, stretch.thread)) continue;
      ++picks_;
      return ChoiceOfThread(pick, stretch.thread);
    }
    return 0;
  }

  ByteString lists_;
  const std::vector<int>* prefix_ = nullptr;
  const std::vector<Stretch>* stretches_ = nullptr;
  const std::vector<int>* other_kinds_ = nullptr;
  size_t stretch_ = 0;
  size_t picks_ = 0;  // of the stretch
  size_t next_other_ = 0;
};

ScheduleMinimizer::ScheduleMinimizer(Execute execute, std::string signature,
                                     const MinimizeBudget& budget)
    : execute_(std::move(execute)),
      signature_(std::move(signature)),
      budget_(budget),
      steps_at_first_(RuntimeCounters().steps),
      deadline_(budget.seconds > 0 ? SteadyNow() + static_cast<uint64_t>(budget.seconds * 1e9)
                                   : std::numeric_limits<uint64_t>::max()) {}

bool ScheduleMinimizer::Run(Player& player) {
  spent_ = spent_ || executions_ >= budget_.executions ||
           RuntimeCounters().steps - steps_at_first_ >= budget_.steps ||
           (budget_.seconds > 0 && SteadyNow() >= deadline_);
  if (spent_) return false;
  ++executions_;
  return execute_(player).signature == signature_;
}

bool ScheduleMinimizer::Fails(Choices& choices) {
  Player player(choices);
  if (!Run(player)) return false;
  choices = ChoicesOf(player.course);
  return true;
}

bool ScheduleMinimizer::Replace(Choices& choices, Choices candidate) {
  if (!Fails(candidate) || CostOf(candidate) >= CostOf(choices)) return false;
  choices = std::move(candidate);
  return true;
}

// ---- removing what is there

bool ScheduleMinimizer::RemoveChunks(Choices& choices, std::vector<Exception> Choices::* list) {
  bool changed = false;
  for (size_t chunk = (choices.*list).size(); chunk >= 1; chunk /= 2) {
    // From the end: what comes before a removed choice happens as it did.
    size_t end = (choices.*list).size();
    while (end > 0 && !spent_) {
      const size_t begin = end > chunk ? end - chunk : 0;
      for (const auto without : {&WithoutInPlace, &WithoutAndCloser}) {
        Choices candidate = choices;
        candidate.*list = without(choices.*list, begin, end - begin);
        if (!Replace(choices, std::move(candidate))) continue;
        changed = true;
        break;
      }
      end = std::min(begin, (choices.*list).size());
    }
  }
  return changed;
}

bool ScheduleMinimizer::RemoveSingles(Choices& choices) {
  for (const auto list : {&Choices::others, &Choices::of_memory}) {
    for (size_t i = (choices.*list).size(); i-- > 0;) {
      for (const auto without : {&WithoutInPlace, &WithoutAndCloser}) {
        Choices candidate = choices;
        candidate.*list = without(choices.*list, i, 1);
        if (Replace(choices, std::move(candidate))) return true;
      }
    }
  }
  return false;
}

// Lets a thread go on where it was interrupted: what others did meanwhile comes later, or before.
bool ScheduleMinimizer::JoinStretches(Choices& choices) {
  bool changed = false;
  for (bool again = true; again && !spent_;) {
    again = false;
    Player player(choices);
    if (!Run(player)) return changed;
    const std::vector<Stretch> stretches = StretchesOf(player.course);
    std::vector<int> other_kinds;
    for (const Taken& pick : player.course) {
      if (!pick.of_memory && !pick.of_schedule) other_kinds.push_back(pick.choice);
    }
    for (size_t i = stretches.size(); i-- > 0 && !again;) {
      // The next stretch of the same thread.
      size_t next = i + 1;
      while (next < stretches.size() && stretches[next].thread != stretches[i].thread) ++next;
      if (next == stretches.size()) continue;
      for (const bool early : {true, false}) {
        std::vector<Stretch> joined = stretches;
        joined[early ? i : next].picks = stretches[i].picks + stretches[next].picks;
        joined.erase(joined.begin() + static_cast<ptrdiff_t>(early ? next : i));
        Player candidate(joined, choices, other_kinds);
        if (!Run(candidate)) continue;
        Choices taken = ChoicesOf(candidate.course);
        if (CostOf(taken) >= CostOf(choices)) continue;
        choices = std::move(taken);
        changed = again = true;
        break;
      }
    }
  }
  return changed;
}

bool ScheduleMinimizer::LowerValues(Choices& choices) {
  bool changed = false;
  for (const auto list : {&Choices::others, &Choices::of_memory}) {
    for (size_t i = 0; i < (choices.*list).size(); ++i) {
      for (uint32_t lower = 0; i < (choices.*list).size() && lower < (choices.*list)[i].choice;
           ++lower) {
        Choices candidate = choices;
        (candidate.*list)[i].choice = lower;
        changed |= Replace(choices, std::move(candidate));
      }
    }
  }
  return changed;
}

// ---- all schedules with few choices

struct ScheduleMinimizer::Search {
  uint64_t last_execution = 0;
  std::vector<int> prefix;
  Choices* found = nullptr;
  bool over = false;  // out of executions
};

// Tries `search.prefix`, and with so many more choices that are not benign, at picks from `from`
// on.
bool ScheduleMinimizer::Enumerate(Search& search, size_t from, size_t others, size_t of_memory) {
  if (executions_ >= search.last_execution) search.over = true;
  if (search.over) return false;
  Player player(search.prefix);
  if (Run(player)) {
    *search.found = ChoicesOf(player.course);
    return true;
  }
  if (spent_) search.over = true;
  if (others + of_memory == 0) return false;
  const std::vector<Taken> course = std::move(player.course);
  const size_t length = search.prefix.size();
  bool found = false;
  for (size_t at = from; at < course.size() && !found && !search.over; ++at) {
    const bool memory = course[at].of_memory;
    if ((memory ? of_memory : others) == 0) continue;
    search.prefix.resize(at + 1, 0);
    for (int choice = 1; choice < course[at].alternatives && !found && !search.over; ++choice) {
      search.prefix[at] = choice;
      found = Enumerate(search, at + 1, others - (memory ? 0 : 1), of_memory - (memory ? 1 : 0));
      search.prefix.resize(at + 1);
    }
    search.prefix[at] = 0;
  }
  search.prefix.resize(length);
  return found;
}

bool ScheduleMinimizer::FindFewer(const Choices& most, bool or_as_many, uint64_t executions,
                                  Choices& found) {
  Search search;
  search.last_execution = executions_ + executions;
  search.found = &found;
  const size_t most_others = std::min(most.others.size(), kMostLevels);
  const size_t most_of_memory = std::min(most.of_memory.size(), kMostLevels);
  for (size_t others = 0; others <= most_others; ++others) {
    for (size_t of_memory = 0; of_memory <= most_of_memory; ++of_memory) {
      const bool as_many = others == most.others.size() && of_memory == most.of_memory.size();
      if (as_many && !or_as_many) continue;
      if (Enumerate(search, 0, others, of_memory)) return true;
      if (search.over) return false;
    }
  }
  return false;
}

void ScheduleMinimizer::Minimize(Choices& choices, uint64_t most_in_search) {
  bool searched = false;
  for (bool again = true; again && !spent_;) {
    again = RemoveChunks(choices, &Choices::others);
    again |= JoinStretches(choices);
    again |= RemoveChunks(choices, &Choices::of_memory);
    if (again) continue;
    if (!searched) {
      searched = true;
      const uint64_t left = budget_.executions - std::min(executions_, budget_.executions);
      again = FindFewer(choices, /*or_as_many=*/false,
                        std::min(left / kShareOfSearch, most_in_search), choices);
      if (again) continue;
    }
    again = LowerValues(choices) || RemoveSingles(choices);
  }
}

}  // namespace jacquard
