// Every seed of the per-VMA lock really reaches what it says it shows.
//
// A seed says it in comments, any number of them:
//
//   # reaches: WriterDraining -> WriterDrained by - 1 in end_read     a transition of some VMA
//   # reaches: thread 1: start_read vma=0 contended                   how an operation ended
//   # reaches: thread 1: start_write vma=0 sleeps                     that an operation waited
//   # reaches: thread 1: lock sleeps, then thread 0: unlock done      two of the latter in this
//   order
//
// All of them must happen in the one execution that the seed describes. If they do not, the test
// looks for a schedule of the seed's operations in which they do, with as few preemptions as
// possible, and prints it: that is how a seed is written (what it has of
// a schedule is tried first, as the beginning), and how it is renewed when the lock's
// steps or the codec have changed.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>
#include <span>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fuzzers/scenario_program.h"
#include "fuzzers/text.h"
#include "fuzzers/vma_lock_scenario.h"
#include "sim/byte_string.h"
#include "sim/depth_first.h"
#include "sim/execute.h"
#include "sim/trace.h"
#include "tests/vma_lock/explore_inputs.h"

namespace jacquard::fuzzers {
namespace {

const Codec& TheCodec() {
  static const Codec codec(ScenarioTypeOf<VmaLockScenario>("VmaLockScenario"));
  return codec;
}

// What happened in one execution, in the words of the comments.
struct Happened {
  Verdict verdict;
  // When each happened first and last. Transitions have no place in this order.
  std::map<std::string, std::pair<int, int>> lines;

  void Add(const std::string& line, int when) {
    lines.emplace(line, std::pair(when, when)).first->second.second = when;
  }
  bool Contains(const std::string& line) const {
    const std::string::size_type then = line.find(kThen);
    if (then == std::string::npos) return lines.contains(line);
    const auto first = lines.find(line.substr(0, then));
    const auto second = lines.find(line.substr(then + kThen.size()));
    return first != lines.end() && second != lines.end() &&
           first->second.first < second->second.second;
  }

  static constexpr std::string_view kThen = ", then ";
};

void AddOperations(const Trace& trace, Happened& happened) {
  std::vector<std::string> calls(trace.threads);
  int when = 0;
  for (const TraceEvent& event : trace.events) {
    const int thread = event.step.thread;
    const std::string begin = "thread " + std::to_string(thread) + ": ";
    ++when;
    if (event.type == TraceEvent::Type::kOperationBegin) {
      calls[thread] = event.text;
      happened.Add(begin + calls[thread], when);
    } else if (event.type == TraceEvent::Type::kOperationEnd) {
      happened.Add(begin + calls[thread] + " " + (event.text.empty() ? "done" : event.text), when);
    } else if (event.step.kind == StepKind::kFutexWait && event.step.new_value == 0) {
      happened.Add(begin + calls[thread] + " sleeps", when);
    }
  }
}

Happened Observe(const Input& input, Strategy& strategy) {
  static Transitions transitions;
  transitions.Clear();
  Transitions::log = &transitions;
  ScenarioProgram program(TheCodec().type(), nullptr);
  program.SetInput(input);
  Happened happened;
  Trace trace;
  happened.verdict = Execute(program, strategy, ExecutionOptions(), &trace);
  Transitions::log = nullptr;
  AddOperations(trace, happened);
  transitions.ForEach([&](Transition t) { happened.Add(ToString(t), 0); });
  return happened;
}

std::vector<std::string> Missing(const Happened& happened,
                                 const std::vector<std::string>& reaches) {
  std::vector<std::string> missing;
  for (const std::string& line : reaches) {
    if (!happened.Contains(line)) missing.push_back(line);
  }
  return missing;
}

// Plays a list of exceptions, and leaves what comes after the last to another strategy.
class Continue : public Strategy {
 public:
  Continue(std::span<const Exception> begin, Strategy& then) : begin_(begin), then_(then) {}

  bool BeginExecution() override {
    next_ = 0;
    gap_ = 0;
    return then_.BeginExecution();
  }
  int Choose(const Pick& pick) override {
    if (next_ == begin_.size()) return then_.Choose(pick);
    if (gap_++ < begin_[next_].gap) return 0;
    gap_ = 0;
    return 1 + static_cast<int>(begin_[next_++].choice % (pick.alternatives - 1));
  }
  void EndExecution(const Verdict& verdict) override { then_.EndExecution(verdict); }

 private:
  std::span<const Exception> begin_;
  Strategy& then_;
  size_t next_ = 0;
  uint32_t gap_ = 0;
};

// A schedule of the operations of `input` that reaches everything, as text. It begins like the one
// that `input` has, unless none does.
std::string Suggest(const Input& input, const std::vector<std::string>& reaches) {
  constexpr int kMostPreemptions = 3;
  constexpr int kExecutions = 20'000;
  Input bare;
  bare.Clear(2);
  for (int t = 0; t < input.threads(); ++t) {
    for (const Call& call : input.calls(t)) bare.AddCall(t, call);
  }
  for (const std::span<const Exception> begin :
       {input.exceptions(), std::span<const Exception>()}) {
    for (int bound = 0; bound <= kMostPreemptions; ++bound) {
      DepthFirst search(bound);
      Continue strategy(begin, search);
      ChoiceRecorder recorder(strategy);
      for (int i = 0; i < kExecutions && recorder.BeginExecution(); ++i) {
        const Happened happened = Observe(bare, recorder);
        recorder.EndExecution(happened.verdict);
        if (!Missing(happened, reaches).empty()) continue;
        Input found = bare;
        for (const Exception& exception : recorder.exceptions()) found.AddException(exception);
        return FormatText(TheCodec(), found);
      }
    }
  }
  return "none was found\n";
}

std::vector<std::filesystem::path> Seeds() {
  std::vector<std::filesystem::path> seeds;
  for (const auto& entry : std::filesystem::directory_iterator("corpus/vma_lock")) {
    if (entry.path().extension() == ".txt") seeds.push_back(entry.path());
  }
  std::sort(seeds.begin(), seeds.end());
  return seeds;
}

TEST(Seeds, ReachWhatTheySayTheyShow) {
  const std::vector<std::filesystem::path> seeds = Seeds();
  EXPECT_GE(seeds.size(), 20u);
  for (const auto& path : seeds) {
    SCOPED_TRACE(path.string());
    const StoredInput stored = ReadStoredInput(TheCodec(), path.string());
    ASSERT_EQ(stored.error, "");
    const std::vector<std::string> reaches = stored.Comments("reaches");
    EXPECT_FALSE(reaches.empty()) << "it does not say what it shows";
    ByteString strategy;
    strategy.Set(stored.input.exceptions());
    strategy.BeginExecution();
    const Happened happened = Observe(stored.input, strategy);
    EXPECT_TRUE(happened.verdict.passed()) << happened.verdict.message;
    const std::vector<std::string> missing = Missing(happened, reaches);
    if (missing.empty()) continue;
    std::ostringstream text;
    for (const std::string& line : missing) text << "does not happen: " << line << "\n";
    text << "a schedule in which it does:\n" << Suggest(stored.input, reaches);
    ADD_FAILURE() << text.str();
  }
}

// Together they lead everywhere: to every situation that the kernel's widths allow.
TEST(Seeds, ReachAllSituations) {
  std::set<std::string> lines;
  for (const auto& path : Seeds()) {
    const StoredInput stored = ReadStoredInput(TheCodec(), path.string());
    ByteString strategy;
    strategy.Set(stored.input.exceptions());
    strategy.BeginExecution();
    for (const auto& [line, when] : Observe(stored.input, strategy).lines) lines.insert(line);
  }
  for (int s = 0; s < lock::kSituationCount; ++s) {
    const auto situation = static_cast<lock::Situation>(s);
    if (situation == lock::Situation::kSequenceCameRound) continue;  // after 2^31 write sections
    if (situation == lock::Situation::kCorrupt) continue;            // a bug
    const std::string to = std::string(" -> ") + lock::SituationName(situation) + " by ";
    EXPECT_TRUE(std::any_of(lines.begin(), lines.end(), [&](const std::string& line) {
      return line.find(to) != std::string::npos;
    })) << lock::SituationName(situation);
  }
}

}  // namespace
}  // namespace jacquard::fuzzers
