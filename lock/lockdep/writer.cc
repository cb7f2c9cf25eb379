#include "lock/lockdep/writer.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <set>

namespace jacquard::lock::lockdep {
namespace {

constexpr std::string_view kRule = "======================================================\n";
constexpr std::string_view kThinRule = "------------------------------------------------------\n";
constexpr std::size_t kColumn = 24;

const char* ModeName(AcquireMode mode) {
  switch (mode) {
    case AcquireMode::kExclusive:
      return "exclusive";
    case AcquireMode::kShared:
      return "shared";
    case AcquireMode::kSharedRecursive:
      return "shared, recursive";
  }
  return "?";
}

// One line of a scenario: `text` in the column of CPU `cpu`, of which the first stands further
// left.
std::string InColumn(std::size_t cpu, const std::string& text) {
  return std::string(cpu == 0 ? 2 : 7 + cpu * kColumn, ' ') + text + "\n";
}

}  // namespace

const char* HeadlineOf(Rule rule) {
  switch (rule) {
    case Rule::kCircular:
      return "possible circular locking dependency detected";
    case Rule::kRecursive:
      return "possible recursive locking detected";
    case Rule::kNestLock:
      return "Nested lock was not taken";
    case Rule::kUnlock:
      return "bad unlock balance detected!";
    case Rule::kDowngrade:
      return "downgrading a read lock";
    case Rule::kFreed:
      return "held lock freed!";
    case Rule::kHeldAtExit:
      return "lock held at exit!";
    case Rule::kRcu:
      return "suspicious RCU usage";
  }
  return "?";
}

void PrintReport(const Report& report) {
  std::fputs(report.text.c_str(), stderr);
  std::fflush(stderr);
}

void PrintReportAndAbort(const Report& report) {
  PrintReport(report);
  std::abort();
}

// ---- the parts

Report Writer::Finish(Rule rule, const std::string& body,
                      const std::vector<ClassId>& involved) const {
  Report report;
  report.rule = rule;
  report.headline = HeadlineOf(rule);
  std::set<std::string> names;
  for (const ClassId id : involved) names.insert(classes_.StableNameOf(id));
  report.signature = report.headline;
  for (const std::string& name : names)
    report.signature += (&name == &*names.begin() ? ": " : ", ") + name;
  Stack stack;
  capture_(place_, stack);
  report.text = "\n";
  report.text += kRule;
  report.text += "WARNING: " + report.headline + "\n";
  report.text += kThinRule;
  report.text += body + "\n" + HeldLocks() + "\nstack backtrace:\n" + StackLines(stack) +
                 "\nLocks are not checked from here on: who holds what is unknown, and assertions "
                 "about it are silent.\n";
  return report;
}

std::string Writer::Wanted(ClassId id, AcquireMode mode) const {
  return Name(id) + "{" + ModeName(mode) + "}";
}

std::string Writer::Line(const HeldLock& held) const {
  return Wanted(held.class_id, held.mode) + (held.try_lock ? ", by a try-lock" : "") +
         ", at: " + DescribePlace(held.place);
}

std::string Writer::Trying(ClassId wanted, AcquireMode mode) const {
  return Me() + " is trying to acquire lock:\n " + Wanted(wanted, mode) +
         ", at: " + DescribePlace(place_) + "\n";
}

std::string Writer::HeldLocks() const {
  const int count = task_.depth();
  if (count == 0) return "no locks held by " + Me() + "\n";
  std::string text =
      std::to_string(count) + (count == 1 ? " lock held by " : " locks held by ") + Me() + ":\n";
  for (int i = 0; i < count; ++i) text += " #" + std::to_string(i) + ": " + Line(task_[i]) + "\n";
  return text;
}

std::string Writer::StackLines(const Stack& stack) const {
  std::string text;
  for (const std::string& line : DescribeStack(stack)) text += "       " + line + "\n";
  return text;
}

std::string Writer::Call(ClassId id, AcquireMode mode) const {
  return (mode == AcquireMode::kExclusive ? "lock(" : "rlock(") + classes_.NameOf(id) + ");";
}

// Each takes its own lock, and then nobody gets the next one.
std::string Writer::Scenario(const std::vector<Actor>& actors) const {
  std::string head = "     ";
  std::string line = "     ";
  for (std::size_t i = 0; i < actors.size(); ++i) {
    const std::string cpu = "CPU" + std::to_string(i);
    const bool last = i + 1 == actors.size();
    head += "  " + cpu + (last ? "" : std::string(kColumn - cpu.size() - 2, ' '));
    line += "  ----" + (last ? "" : std::string(kColumn - 6, ' '));
  }
  std::string text = " Possible unsafe locking scenario:\n\n" + head + "\n" + line + "\n";
  for (std::size_t i = 0; i < actors.size(); ++i) text += InColumn(i, actors[i].holds);
  for (std::size_t i = 1; i < actors.size(); ++i) text += InColumn(i, actors[i].wants);
  text += InColumn(0, actors[0].wants);
  return text + "\n *** DEADLOCK ***\n";
}

// Classes of which a lock was held exclusively for each part of the cycle.
std::string Writer::Gates(const HeldLock& held, const std::vector<PathStep>& path) const {
  std::set<ClassId> gates;
  for (int i = 0; i < task_.depth(); ++i) {
    if (&task_[i] != &held && task_[i].mode == AcquireMode::kExclusive)
      gates.insert(task_[i].class_id);
  }
  for (const PathStep& step : path) {
    const std::vector<ClassId>& others = step.witness.taking->exclusively_held;
    std::erase_if(gates, [&](ClassId id) {
      return id == step.from || std::find(others.begin(), others.end(), id) == others.end();
    });
  }
  std::string text;
  for (const ClassId id : gates) {
    text += "\nEach part of this was seen with a lock of " + Name(id) +
            " held exclusively. If that always is one and the same lock,\nit keeps the parts "
            "apart for as long as nobody leaves it out.\n";
  }
  return text;
}

// ---- the reports

Report Writer::Circular(ClassId wanted, AcquireMode mode, const HeldLock& held,
                        const std::vector<PathStep>& path) const {
  std::string text = Trying(wanted, mode) + "\nbut task is already holding lock:\n " + Line(held) +
                     "\n\nand a chain of dependencies leads from the first to the second "
                     "already.\n\nthe existing dependency chain (in reverse order) is:\n";
  for (std::size_t i = path.size(); i-- > 0;) {
    const Witness& witness = path[i].witness;
    text += "\n-> #" + std::to_string(i + 1) + " " + Wanted(path[i].to, witness.taking->mode) +
            ", by thread " + std::to_string(witness.taking->thread) + ", which held " +
            Wanted(path[i].from, witness.held_mode) + ":\n" + StackLines(witness.taking->stack);
  }
  Stack stack;
  capture_(place_, stack);
  text += "\n-> #0 " + Wanted(wanted, mode) + ", by " + Me() + ", which holds " +
          Wanted(held.class_id, held.mode) + ":\n" + StackLines(stack);
  text += "\nother info that might help us debug this:\n\n";
  if (path.size() > 1) {
    text += "Chain exists of:\n  " + classes_.NameOf(wanted);
    for (const PathStep& step : path) text += " --> " + classes_.NameOf(step.to);
    text += "\n\n";
  }

  std::vector<Actor> actors = {{Call(held.class_id, held.mode), Call(wanted, mode)}};
  std::vector<ClassId> involved = {wanted};
  bool reader_waits_for_reader =
      mode == AcquireMode::kShared && path.front().witness.held_mode != AcquireMode::kExclusive;
  for (std::size_t i = 0; i < path.size(); ++i) {
    const Witness& witness = path[i].witness;
    actors.push_back(
        {Call(path[i].from, witness.held_mode), Call(path[i].to, witness.taking->mode)});
    involved.push_back(path[i].to);
    const AcquireMode next = i + 1 < path.size() ? path[i + 1].witness.held_mode : held.mode;
    reader_waits_for_reader |=
        witness.taking->mode == AcquireMode::kShared && next != AcquireMode::kExclusive;
  }
  text += Scenario(actors);
  if (reader_waits_for_reader) {
    text +=
        "\nA reader waits for a reader here: while a writer waits, no further reader of that "
        "kind is let in.\n";
  }
  return Finish(Rule::kCircular, text + Gates(held, path), involved);
}

Report Writer::Recursive(ClassId wanted, AcquireMode mode, const HeldLock& held) const {
  return Finish(Rule::kRecursive,
                Trying(wanted, mode) + "\nbut task is already holding lock:\n " + Line(held) +
                    "\n\nother info that might help us debug this:\n"
                    " Possible unsafe locking scenario:\n\n"
                    "       CPU0\n       ----\n" +
                    InColumn(0, Call(held.class_id, held.mode)) + InColumn(0, Call(wanted, mode)) +
                    "\n *** DEADLOCK ***\n\n"
                    "If these are two locks, in an order that everybody keeps, say so with a "
                    "subclass or a nest lock.\n",
                {wanted});
}

Report Writer::NestLock(ClassId wanted, AcquireMode mode) const {
  return Finish(Rule::kNestLock,
                Trying(wanted, mode) +
                    "\nbut the lock that is to make its order harmless is not "
                    "held.\n",
                {wanted});
}

Report Writer::Unlock(ClassId released, const Task* holder) const {
  std::string text = Me() + " is trying to release lock:\n " + Name(released) +
                     ", at: " + DescribePlace(place_) + "\n";
  text += holder == nullptr
              ? "but there is no lock to release: no thread holds it.\n"
              : "but it does not hold it: thread " + std::to_string(holder->number()) + " does.\n";
  return Finish(Rule::kUnlock, text, {released});
}

Report Writer::Downgrade(ClassId downgraded, bool held) const {
  return Finish(Rule::kDowngrade,
                Me() + " is trying to downgrade lock:\n " + Name(downgraded) +
                    ", at: " + DescribePlace(place_) + "\nbut it " +
                    (held ? "holds it shared only.\n" : "does not hold it.\n"),
                {downgraded});
}

Report Writer::Freed(const Task& holder, const void* begin, std::size_t size) const {
  std::string text = Me() + " gives up memory in which there is a lock that thread " +
                     std::to_string(holder.number()) + " holds, at: " + DescribePlace(place_) +
                     "\n";
  std::vector<ClassId> involved;
  if (&holder == &task_) {
    for (int i = 0; i < task_.depth(); ++i) {
      const void* const instance = task_[i].instance.load(std::memory_order_relaxed);
      if (reinterpret_cast<std::uintptr_t>(instance) - reinterpret_cast<std::uintptr_t>(begin) >=
          size)
        continue;
      text += " " + Line(task_[i]) + "\n";
      involved.push_back(task_[i].class_id);
    }
  }
  return Finish(Rule::kFreed, text, involved);
}

Report Writer::HeldAtExit() const {
  std::vector<ClassId> involved;
  for (int i = 0; i < task_.depth(); ++i) involved.push_back(task_[i].class_id);
  return Finish(Rule::kHeldAtExit, Me() + " is done, and leaves what it holds locked for ever.\n",
                involved);
}

Report Writer::Rcu(const std::string& what) const {
  return Finish(Rule::kRcu, Me() + " " + what + ", at: " + DescribePlace(place_) + "\n", {});
}

}  // namespace jacquard::lock::lockdep
