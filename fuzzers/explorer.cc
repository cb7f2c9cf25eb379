#include "fuzzers/explorer.h"

#include <chrono>
#include <memory>
#include <set>
#include <utility>

#include "fuzzers/minimizer.h"
#include "fuzzers/scenario_program.h"
#include "jacquard/occasional_look.h"
#include "jacquard/schedule_counter.h"
#include "sim/byte_string.h"
#include "sim/random_answers.h"
#include "sim/strategies.h"

namespace jacquard::fuzzers {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kBetweenReports{200};
// For minimising one bug.
constexpr uint64_t kMinimizeExecutions = 200'000;

// The seed of a scenario's strategy.
uint64_t SeedOf(uint64_t seed, uint64_t scenario) {
  RandomAnswers random;
  random.SeedExecution(seed, scenario);
  return random.Next();
}

}  // namespace

struct Explorer::State {
  State(const Codec& c, const ExplorerOptions& o, OnProgress p, OnBug b)
      : codec(c),
        options(o),
        on_progress(std::move(p)),
        on_bug(std::move(b)),
        program(codec.type(), &features, kAllFeatures),
        start(Clock::now()),
        next_report(start) {
    options.execution.check_leaks = codec.type().check_leaks;
    options.execution.allocations_may_fail = codec.type().allocations_may_fail;
  }

  // What is explored of one scenario.
  struct Exploration {
    uint64_t hash = 0;  // of the scenario
    Input input;
    std::unique_ptr<Strategy> strategy;
  };

  Exploration Begin(Scenarios& scenarios, uint64_t number) {
    Exploration exploration;
    if (!scenarios.Get(number, exploration.input)) return exploration;
    exploration.hash = HashOf(codec.Encode(exploration.input));
    exploration.strategy = MakeStrategy(options.strategy, SeedOf(options.seed, number));
    ++progress.scenarios;
    return exploration;
  }

  // ---- the loop

  void RunAll(Scenarios& scenarios) {
    const double count = scenarios.Count();
    for (auto number = static_cast<uint64_t>(options.worker); !over;
         number += static_cast<uint64_t>(options.workers)) {
      Exploration exploration = Begin(scenarios, number);
      if (exploration.strategy == nullptr) {
        progress.exhausted = all_exhausted;
        break;
      }
      scenarios_before = static_cast<double>(number);
      scenario_count = count;
      all_exhausted &= ExploreFor(exploration, options.per_scenario);
    }
  }

  // Round and round, as long as there is something left.
  void RunGiven(Scenarios& scenarios) {
    std::vector<Exploration> explorations;
    for (auto number = static_cast<uint64_t>(options.worker);;
         number += static_cast<uint64_t>(options.workers)) {
      Exploration exploration = Begin(scenarios, number);
      if (exploration.strategy == nullptr) break;
      explorations.push_back(std::move(exploration));
    }
    const auto count = static_cast<double>(explorations.size());
    while (!over && !explorations.empty()) {
      for (size_t i = 0; i < explorations.size() && !over;) {
        scenarios_before = count - static_cast<double>(explorations.size());
        scenario_count = count;
        if (ExploreFor(explorations[i], options.per_scenario)) {
          explorations.erase(explorations.begin() + static_cast<ptrdiff_t>(i));
        } else {
          ++i;
        }
      }
    }
    progress.exhausted = !over;
  }

  // So many executions (0: as many as there are). Whether the strategy has nothing left.
  bool ExploreFor(Exploration& exploration, uint64_t executions) {
    Strategy& strategy = *exploration.strategy;
    current = &exploration;
    const ExecutionSeries series;
    for (uint64_t i = 0; executions == 0 || i < executions; ++i) {
      if (IsOver()) return false;
      if (!strategy.BeginExecution()) return true;
      program.SetInput(exploration.input);
      const uint64_t steps_before = RuntimeCounters().steps;
      const Verdict verdict = Execute(program, strategy, options.execution);
      ++progress.executions;
      progress.steps += RuntimeCounters().steps - steps_before;
      schedules.Add(LastSchedule() + exploration.hash);
      CollectFeatures();
      if (!verdict.passed()) [[unlikely]]
        AddFailure(exploration, verdict);
      strategy.EndExecution(verdict);
    }
    return false;
  }

  bool IsOver() {
    if (options.executions != 0 && progress.executions >= options.executions) over = true;
    if (over || !look.IsDue(progress.executions)) return over;
    const auto now = look.Now(progress.executions);
    if (options.seconds > 0 && now - start >= std::chrono::duration<double>(options.seconds))
      over = true;
    if (now >= next_report) Report();
    return over;
  }

  void Report() {
    next_report = Clock::now() + kBetweenReports;
    progress.distinct_schedules = schedules.Count();
    const double of_scenario = current == nullptr ? -1 : current->strategy->ShareDone();
    progress.share_is_of_scenario = scenario_count == 0;
    if (progress.exhausted) {
      progress.share_done = 1;
    } else if (scenario_count == 0 || of_scenario < 0) {
      progress.share_done = of_scenario;
    } else {
      progress.share_done = (scenarios_before + of_scenario) / scenario_count;
    }
    on_progress(progress);
  }

  void CollectFeatures() {
    const auto* const counters = reinterpret_cast<const uint8_t*>(&features);
    for (size_t word = 0; word < sizeof(features) / 8; ++word) {
      uint64_t eight = 0;
      __builtin_memcpy(&eight, counters + word * 8, 8);
      if (eight == 0) continue;
      // A counter that was set has a bit in its byte; they are gathered in one byte.
      uint64_t set = eight | eight >> 4;
      set |= set >> 2;
      set |= set >> 1;
      progress.behaviours[word] |=
          static_cast<uint8_t>(((set & 0x0101'0101'0101'0101) * 0x0102'0408'1020'4080) >> 56);
    }
    features = {};
  }

  // ---- bugs

  void AddFailure(const Exploration& exploration, const Verdict& verdict) {
    ++progress.failures;
    if (options.stop_at_first_bug) over = true;
    if (!signatures.insert(verdict.signature).second) return;
    ExplorerBug bug;
    bug.kind = VerdictKindName(verdict.kind);
    bug.signature = verdict.signature;
    bug.message = verdict.message;
    bug.executions = progress.executions;
    Input input = exploration.input;
    ChoiceRecorder recorder(*exploration.strategy);
    recorder.RepeatExecution();
    const Verdict again = Execute(program, recorder, options.execution);
    Choices choices = {recorder.exceptions(), recorder.memory_exceptions()};
    bug.reproducible = again.signature == verdict.signature;
    if (bug.reproducible && options.minimize) {
      ExecutionOptions execution = options.execution;
      execution.watch_from = kWatchSoon;
      InputMinimizer minimizer(
          codec,
          [this, &execution](const Input& scenario, Strategy& strategy) {
            program.SetInput(scenario);
            return Execute(program, strategy, execution);
          },
          [this](int thread) { return program.OperationsDone(thread); }, verdict.signature,
          kMinimizeExecutions);
      bug.reproducible = minimizer.Minimize(input, choices);
      bug.minimal = !minimizer.spent();
    }
    // Without minimising they may be more than an input can hold.
    if (!SetChoices(choices, input)) bug.reproducible = false;
    bug.input = codec.Encode(input);
    features = {};
    on_bug(bug);
  }

  const Codec& codec;
  ExplorerOptions options;
  const OnProgress on_progress;
  const OnBug on_bug;
  Features features = {};
  ScenarioProgram program;
  call::ScheduleCounter schedules;
  std::set<std::string> signatures;
  ExplorerProgress progress;
  const Exploration* current = nullptr;
  bool over = false;
  bool all_exhausted = true;
  double scenarios_before = 0;
  double scenario_count = 0;  // 0: without end
  const Clock::time_point start;
  Clock::time_point next_report;
  call::OccasionalLook look;
};

Explorer::Explorer(const Codec& codec, const ExplorerOptions& options, OnProgress on_progress,
                   OnBug on_bug)
    : state_(new State(codec, options, std::move(on_progress), std::move(on_bug))) {}

Explorer::~Explorer() { delete state_; }

void Explorer::Run(Scenarios& scenarios, bool given) {
  if (given) {
    state_->RunGiven(scenarios);
  } else {
    state_->RunAll(scenarios);
  }
  state_->current = nullptr;
  state_->Report();
}

}  // namespace jacquard::fuzzers
