#include "fuzzers/reorder.h"

#include <algorithm>
#include <map>

#include "sim/random_answers.h"

namespace jacquard::fuzzers {
namespace {

// So many picks are tried as the first of two accesses, and so many as the second.
constexpr int kTries = 8;
constexpr size_t kFurthest = 64;

bool Reads(StepKind kind) { return kind == StepKind::kLoad || kind == StepKind::kPlainRead; }

// Whether it matters in which order the two are done.
bool Conflict(const PendingOperation& a, const PendingOperation& b) {
  return a.address != nullptr && a.address == b.address && !(Reads(a.kind) && Reads(b.kind));
}

int Below(RandomAnswers& random, size_t n) { return random.Answer(static_cast<int>(n)); }

}  // namespace

bool Watch::BeginExecution() {
  others_.clear();
  of_memory_.clear();
  return inner_.BeginExecution();
}

int Watch::Choose(const Pick& pick) {
  const bool of_memory = IsOfMemory(pick.kind);
  const bool benign = of_memory ? inner_.TakeBenignMemoryPick() : inner_.TakeBenignPick();
  const int choice = benign ? 0 : inner_.Choose(pick);
  Seen seen = {pick.kind, pick.alternatives, choice, -1, {}, pick.first, pick.candidates};
  if (pick.kind == PickKind::kSchedule) {
    seen.thread = ThreadOfChoice(pick, choice);
    seen.does = pick.pending[seen.thread];
  }
  (of_memory ? of_memory_ : others_).push_back(seen);
  return choice;
}

std::vector<Reorder::Placed> Reorder::Place(const std::vector<Exception>& list) {
  std::vector<Placed> placed;
  uint64_t at = 0;
  for (const Exception& exception : list) {
    at += exception.gap;
    placed.push_back({at++, exception.choice});
  }
  return placed;
}

// Of two at one pick the one that was added last counts.
std::vector<Exception> Reorder::Unplace(const std::vector<Placed>& placed) {
  std::map<uint64_t, uint32_t> choices;
  for (const Placed& one : placed) choices[one.at] = one.choice;
  std::vector<Exception> list;
  uint64_t next = 0;
  for (const auto& [at, choice] : choices) {
    list.push_back({static_cast<uint32_t>(at - next), choice});
    next = at + 1;
  }
  return list;
}

bool Reorder::Mutate(const Watch& watch, uint64_t seed, Choices& choices) {
  RandomAnswers random;
  random.SeedExecution(seed, 0);
  const auto& others = watch.others_;
  const int way = random.Answer(4);
  if (way == 0 && !watch.of_memory_.empty()) {
    const auto at = static_cast<size_t>(Below(random, watch.of_memory_.size()));
    std::vector<Placed> placed = Place(choices.of_memory);
    const int alternatives = watch.of_memory_[at].alternatives;
    placed.push_back({at, static_cast<uint32_t>(random.Answer(alternatives - 1))});
    choices.of_memory = Unplace(placed);
    return true;
  }
  if (others.empty()) return false;
  std::vector<Placed> placed = Place(choices.others);
  if (way >= 2) {
    for (int tries = 0; tries < kTries; ++tries) {
      const auto one = static_cast<size_t>(Below(random, others.size()));
      const Watch::Seen& before = others[one];
      if (before.thread < 0) continue;
      // Its conflicts, of which one is drawn; and how many picks of that thread come up to there.
      size_t found = 0;
      size_t conflicts = 0;
      const size_t end = std::min(others.size(), one + kFurthest);
      for (size_t i = one + 1; i < end; ++i) {
        const Watch::Seen& after = others[i];
        if (after.thread < 0 || after.thread == before.thread ||
            (before.candidates & SetOfThread(after.thread)) == 0 ||
            !Conflict(before.does, after.does))
          continue;
        if (random.Answer(static_cast<int>(++conflicts)) == 0) found = i;
      }
      if (conflicts == 0) continue;
      const Watch::Seen& after = others[found];
      uint64_t picks = 0;
      for (size_t i = one; i <= found; ++i) picks += others[i].thread == after.thread ? 1 : 0;
      // What came in between is undone: the positions have another meaning now.
      std::erase_if(placed, [&](const Placed& p) { return p.at >= one && p.at <= one + picks; });
      const Pick first = {.kind = PickKind::kSchedule,
                          .alternatives = before.alternatives,
                          .thread = before.first,
                          .first = before.first,
                          .candidates = before.candidates};
      if (const int choice = ChoiceOfThread(first, after.thread); choice != 0)
        placed.push_back({one, static_cast<uint32_t>(choice - 1)});
      const Pick second = {.kind = PickKind::kSchedule,
                           .alternatives = before.alternatives,
                           .thread = after.thread,
                           .first = after.thread,
                           .candidates = before.candidates};
      placed.push_back(
          {one + picks, static_cast<uint32_t>(ChoiceOfThread(second, before.thread) - 1)});
      choices.others = Unplace(placed);
      return true;
    }
  }
  const auto at = static_cast<size_t>(Below(random, others.size()));
  placed.push_back({at, static_cast<uint32_t>(random.Answer(others[at].alternatives - 1))});
  choices.others = Unplace(placed);
  return true;
}

}  // namespace jacquard::fuzzers
