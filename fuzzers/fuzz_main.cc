// A fuzz target as engines want it: LLVMFuzzerInitialize, LLVMFuzzerTestOneInput,
// LLVMFuzzerCustomMutator, LLVMFuzzerCustomCrossOver.
//
// main() is libFuzzer's, or another engine's.
#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <climits>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <span>
#include <sstream>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "fuzzers/codec.h"
#include "fuzzers/command_line.h"
#include "fuzzers/engine.h"
#include "fuzzers/execution_flags.h"
#include "fuzzers/files.h"
#include "fuzzers/form.h"
#include "fuzzers/input.h"
#include "fuzzers/load_input.h"
#include "fuzzers/mutator.h"
#include "fuzzers/progress.h"
#include "fuzzers/run_totals.h"
#include "fuzzers/scenario_type.h"
#include "fuzzers/shell_word.h"
#include "fuzzers/survey.h"
#include "fuzzers/sweep.h"
#include "fuzzers/text.h"
#include "fuzzers/tool.h"
#include "fuzzers/triage.h"

// Of the scenario: JACQUARD_FUZZ_TARGET.
const jacquard::ScenarioType& JacquardFuzzTarget();

extern "C" {
// The engine's general mutation; only libFuzzer has it.
__attribute__((weak)) size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t max_size);
// Of Clang's source coverage, where that is.
__attribute__((weak)) int __llvm_profile_write_file();
}

namespace jacquard::fuzzers {
namespace {

// A reordering costs an execution; crossing over is best done now and then (docs/guidance.md).
constexpr uint32_t kReorderOnceIn = 4;
constexpr uint32_t kCrossOverOnceIn = 8;
// Half of the executions go to what is near the seeds, as long as there is something.
constexpr uint32_t kSweepOnceIn = 2;

// What libFuzzer reads of a file at most if nobody tells it anything. Large gaps take many bytes.
constexpr uintmax_t kMostBytes = 1 << 20;

// Seconds from one addition to the totals of a run with several processes to the next.
constexpr double kAddEvery = 0.5;

// Executions from one look at the clock to the next.
constexpr uint64_t kExecutionsPerTick = 16;

// Ends the process whatever its threads are doing. The profile would be written at exit, which this
// is not.
[[noreturn]] void End(int status) {
  if (__llvm_profile_write_file != nullptr) __llvm_profile_write_file();
  _exit(status);
}

// Costs one compare for bytes that are none.
bool IsText(std::span<const uint8_t> bytes) {
  return !bytes.empty() && !IsKnownVersion(bytes[0]) && LooksLikeText(AsText(bytes));
}

// What a fuzzing run does for every input.
class Fuzzer {
 public:
  Fuzzer(const Codec& codec, const CommandLine& line, FormOptions options)
      : codec_(codec),
        shape_threads_(line.shape_threads),
        shape_operations_(line.shape_operations),
        mutations_(line.mutations),
        by_position_(line.addressing == Addressing::kPositions),
        engine_arguments_(line.engine),
        start_(std::chrono::steady_clock::now()) {
    options.on_fatal = [this](const std::string& report, bool no_step) {
      EndProgress();
      Print(report);
      if (no_step) {
        SaveNoStepInput(bytes_);
      } else {
        EndWithCrash();
      }
    };
    joined_ = RunTotals::Join();
    options.estimates_schedules = joined_ != nullptr;
    form_ = std::make_unique<Form>(codec, std::move(options));
  }

  // From now on what the engine prints goes through `progress`. `starts_others`: the engine leaves
  // the executions to processes that it starts.
  void Show(Progress::Options options, bool starts_others) {
    if (starts_others) made_ = RunTotals::Make();
    options.target = [this] {
      if (made_ != nullptr) return made_->Read();
      TargetProgress target = {
          .executions = form_->executions(), .steps = form_->steps(), .states = form_->states()};
      target.schedules = form_->distinct_schedules(target.schedules_estimated);
      return target;
    };
    options.print = Print;
    progress_ = std::make_unique<Progress>(std::move(options));
    SetEngineListener([this](std::string_view text) { progress_->OnEngineText(text, Seconds()); });
  }

  void TestOneInput(std::span<const uint8_t> bytes) {
    bytes_ = bytes;
    SetRunningInput(&bytes_);
    Execute(bytes);
    SetRunningInput(nullptr);
  }

  // The engine's request for another input; `general` is its own mutation.
  size_t Mutate(uint8_t* data, size_t size, size_t max_size, uint32_t seed,
                GeneralMutation general) {
    mutates_ = true;
    size = Compile(data, size, max_size);
    if (by_position_ && (mutations_ & kSweepMutations) != 0 && seed % kSweepOnceIn == 0 &&
        sweep_.Next(mutated_)) {
      const std::vector<uint8_t> bytes = codec_.Encode(mutated_);
      if (bytes.size() <= max_size) {
        std::copy(bytes.begin(), bytes.end(), data);
        return bytes.size();
      }
    }
    seed /= kSweepOnceIn;
    if ((mutations_ & kReorderMutations) != 0 && seed % kReorderOnceIn == 0) {
      codec_.Decode({data, size}, mutated_);
      if (form_->Reorder(mutated_, seed / kReorderOnceIn)) {
        const std::vector<uint8_t> bytes = codec_.Encode(mutated_);
        if (bytes.size() <= max_size) {
          std::copy(bytes.begin(), bytes.end(), data);
          return bytes.size();
        }
      }
    }
    if ((mutations_ & kRecordMutations) == 0 && general != nullptr)
      return general(data, size, max_size);
    return fuzzers::Mutate(data, size, max_size, seed / kReorderOnceIn, general, by_position_);
  }

  size_t CrossOver(std::span<const uint8_t> one, std::span<const uint8_t> other, uint8_t* out,
                   size_t max_size, uint32_t seed) const {
    // The engine calls this as often as Mutate.
    if ((mutations_ & kCrossOverMutations) == 0 || seed % kCrossOverOnceIn != 0) return 0;
    if (IsText(one) || IsText(other)) return 0;
    return fuzzers::CrossOver(one, other, out, max_size, seed / kCrossOverOnceIn);
  }

  // One line at the end of a run.
  void PrintStatistics() {
    EndProgress();
    AddToRun();
    const double time = Seconds();
    const auto executions = static_cast<double>(form_->executions());
    if (executions < 1000 || time < 0.1) return;
    std::string text = fmt::format("jacquard: {} executions ({}), {:.0f} a second", executions,
                                   FormName(), executions / time);
    if (form_->steps() != 0) {
      const auto steps = static_cast<double>(form_->steps());
      text += fmt::format("; {:.1f} steps each, {:.1f} million steps a second", steps / executions,
                          steps / time * 1e-6);
    }
    bool estimated = false;
    if (const uint64_t schedules = form_->distinct_schedules(estimated); schedules != 0)
      text += fmt::format("; {}{} distinct schedules", estimated ? "about " : "", schedules);
    Print(text + "\n");
    if (const uint64_t cut = form_->cut_histories(); cut != 0) {
      Print(fmt::format(
          "jacquard: in {} executions something was forgotten: values that a read might have "
          "returned (--max-history keeps more), or accesses to very many objects, among which "
          "races are no longer found\n",
          cut));
    }
  }

 private:
  void Execute(std::span<const uint8_t> bytes) {
    if (form_->executions() % kExecutionsPerTick == 0) Tick();
    if (IsText(bytes)) [[unlikely]] {
      DecodeText(bytes);
    } else {
      codec_.Decode(bytes, input_);
    }
    if (shape_threads_ != 0) codec_.Reshape(shape_threads_, shape_operations_, input_);
    if (form_->Execute(input_)) [[likely]] {
      // What the engine executes before it mutates are the seeds.
      if (!mutates_) sweep_.AddSeed(input_, form_->length());
      return;
    }
    const uint64_t before = form_->executions();
    EndProgress();
    Print("\n" + form_->Report(input_));
    // By this libFuzzer's -minimize_crash recognises the same bug.
    Print(fmt::format("DEDUP_TOKEN: {}\n", form_->signature()));
    Print(fmt::format("jacquard: the failure came after {} executions\n", before));
    AddToRun();
    EndWithCrash();
  }

  // A text is what it says, also where the user gives it to the engine: as bytes it would pass,
  // since it is none of any version.
  void DecodeText(std::span<const uint8_t> bytes) {
    const auto error = ParseText(AsText(bytes), codec_, input_);
    if (!error) return;
    input_.Clear(codec_.type().min_threads);
    if (mutates_) return;  // the engine has made it
    const std::string file = FileThatBegins(bytes, engine_arguments_);
    if (file.empty() && !EngineIsLibFuzzer()) return;  // others may have mutated it, too
    std::error_code no_file;
    const bool is_cut = !file.empty() && std::filesystem::file_size(file, no_file) > bytes.size();
    EndProgress();
    Print(fmt::format("jacquard: {}\n",
                      is_cut ? fmt::format("{}: -max_len={} cuts off this text", file, bytes.size())
                             : error->ToString(file.empty() ? "an input" : file)));
    End(kExitUsage);
  }

  // Turns a text into bytes, which are what can be mutated. Returns the size.
  size_t Compile(uint8_t* data, size_t size, size_t max_size) {
    const std::span<const uint8_t> text(data, size);
    if (!IsText(text) || ParseText(AsText(text), codec_, mutated_)) return size;
    const Bytes bytes = codec_.Encode(mutated_);
    if (bytes.size() > max_size) return size;
    std::ranges::copy(bytes, data);
    return bytes.size();
  }

  // Now and then.
  void Tick() {
    if (progress_ != nullptr) progress_->Tick(Seconds());
    if (joined_ == nullptr || Seconds() < next_add_) return;
    next_add_ = Seconds() + kAddEvery;
    AddToRun();
  }

  // What has been done since the last time.
  void AddToRun() {
    if (joined_ == nullptr) return;
    joined_->Add(form_->executions() - added_executions_, form_->steps() - added_steps_,
                 form_->state_slots(), form_->schedule_registers());
    added_executions_ = form_->executions();
    added_steps_ = form_->steps();
  }

  double Seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }

  void EndProgress() {
    if (progress_ == nullptr) return;
    SetEngineListener(nullptr);
    progress_->Finish(Seconds());
    progress_ = nullptr;
  }

  const Codec& codec_;
  const int shape_threads_;
  const int shape_operations_;
  const uint32_t mutations_;
  const bool by_position_;
  const std::vector<std::string> engine_arguments_;
  const std::chrono::steady_clock::time_point start_;
  std::unique_ptr<Form> form_;
  std::unique_ptr<RunTotals> made_;  // of the processes that this one starts; null: there are none
  std::unique_ptr<RunTotals> joined_;  // of the run that this process belongs to, or null
  uint64_t added_executions_ = 0;
  uint64_t added_steps_ = 0;
  double next_add_ = 0;
  std::unique_ptr<Progress> progress_;  // null: the engine prints by itself
  Input input_;
  Input mutated_;
  Sweep sweep_;
  bool mutates_ = false;            // the engine has begun to
  std::span<const uint8_t> bytes_;  // of the running execution
};

Fuzzer* fuzzer = nullptr;  // never freed: the process may end at any time

std::string ProgramPath() {
  char path[PATH_MAX];
  const ssize_t length = readlink("/proc/self/exe", path, sizeof(path));
  return length > 0 ? std::string(path, static_cast<size_t>(length)) : "PROGRAM";
}

// What is not the default and must be said again, each with a space before it.
std::string RepeatedFlags(const CommandLine& line) {
  std::string flags;
  if (line.shape_threads != 0) {
    flags += fmt::format(" --shape {}x{}", line.shape_threads, line.shape_operations);
  }
  return flags + ExecutionFlags(line.execution);
}

// How to execute this program again, to be followed by the file.
std::string ReplayCommand(const CommandLine& line) {
  const char* const launcher = std::getenv("JACQUARD_REPLAY_COMMAND");
  std::string command =
      launcher != nullptr ? launcher : ShellWord(ProgramPath()) + std::string(kReplayFlag);
  // Before the last flag, which the file follows.
  if (command.ends_with(kReplayFlag))
    command.insert(command.size() - kReplayFlag.size(), RepeatedFlags(line));
  return command;
}

Rerun HowToRerun(const CommandLine& line) {
  Rerun rerun = {.program = ProgramPath(),
                 .flags = {fmt::format("--time-limit={}", line.time_limit)},
                 .replay = ReplayCommand(line)};
  std::istringstream words(RepeatedFlags(line));
  for (std::string word; words >> word;) rerun.flags.push_back(word);
  return rerun;
}

// The value of an environment variable that is meant for this process, not for those that it
// starts.
std::string TakeVariable(const char* name) {
  const char* const value = std::getenv(name);
  std::string text = value == nullptr ? "" : value;
  unsetenv(name);
  return text;
}

// What the launcher wants to be shown and written (tools/fuzz_launcher.sh).
void ShowProgress(const std::string& target, const std::vector<std::string>& engine_flags) {
  Progress::Options options = {.name = target,
                               .file = TakeVariable("JACQUARD_PROGRESS_FILE"),
                               .panel = !TakeVariable("JACQUARD_PANEL").empty()};
  if (options.file.empty() && !options.panel) return;
  if (winsize size = {}; ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
    options.columns = size.ws_col;
  options.unix_time =
      std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
  const bool forks = std::ranges::any_of(engine_flags, [](const std::string& flag) {
    return flag.starts_with("-fork=") && flag != "-fork=0";
  });
  fuzzer->Show(std::move(options), forks);
}

// How long inputs may be: 16 operations on each of a few threads, and some dozens of exceptions;
// and whatever is in files and corpora, of which libFuzzer would cut off the rest.
uintmax_t LongestInput(std::span<const std::string> arguments) {
  uintmax_t longest = 256;
  for (const std::string& argument : arguments) {
    if (argument.starts_with('-')) continue;
    std::error_code error;
    const auto add = [&longest](uintmax_t size) {
      if (size <= kMostBytes) longest = std::max(longest, size);
    };
    if (std::filesystem::is_regular_file(argument, error))
      add(std::filesystem::file_size(argument, error));
    constexpr auto kOptions = std::filesystem::directory_options::skip_permission_denied;
    std::filesystem::recursive_directory_iterator files(argument, kOptions, error);
    for (; !error && files != end(files); files.increment(error)) {
      std::error_code no_file;
      if (const uintmax_t size = files->file_size(no_file); !no_file) add(size);
    }
  }
  return longest;
}

// `name` with the "=".
bool HasFlag(std::span<const std::string> arguments, std::string_view name) {
  return std::ranges::any_of(
      arguments, [name](const std::string& argument) { return argument.starts_with(name); });
}

// Flags that libFuzzer gets unless the user has said something else.
void AddEngineDefaults(std::vector<std::string>& arguments) {
  const std::string defaults[] = {
      "-max_len=" + std::to_string(LongestInput(arguments)),
      // Inputs are short and need not grow slowly.
      "-len_control=0",
      "-timeout=60",
      "-rss_limit_mb=2560",
  };
  for (const std::string& flag : defaults) {
    const std::string name = flag.substr(0, flag.find('=') + 1);
    if (!HasFlag(arguments, name)) arguments.emplace_back(flag);
  }
}

// libFuzzer ends with 1 where it cannot use a flag or a file.
void EndWithUsage(int status, void* /*unused*/) {
  constexpr int kEngineUsage = 1;
  if (status != kEngineUsage) return;
  std::fflush(nullptr);
  End(kExitUsage);
}

void Initialize(int* argc, char*** argv) {
  const ScenarioType& type = JacquardFuzzTarget();
  if (const std::string problem = Codec::Problem(type); !problem.empty()) {
    Print(fmt::format("jacquard: {}: {}\n", type.class_name, problem));
    _exit(kExitUsage);
  }
  static const Codec codec(type);

  CommandLine line = ParseCommandLine(std::vector<std::string>(*argv, *argv + *argc), codec.name(),
                                      type.max_threads);
  if (line.exit_status) {
    if (*line.exit_status == kExitPass) {
      (void)WriteFile("-", Bytes(line.message.begin(), line.message.end()), true);
    } else {
      Print(line.message);
    }
    _exit(*line.exit_status);
  }

  FormOptions options;
  options.execution = line.execution;
  options.no_step_seconds = line.time_limit;
  options.deadlock_seconds = line.time_limit;
  options.features = line.features;
  options.addressing =
      line.mode == CommandLine::Mode::kFuzz ? line.addressing : Addressing::kPositions;
  options.all_events = line.all;
  if (line.mode == CommandLine::Mode::kReplay) {
    options.replay_command = ReplayCommand(line) + " " + ShellWord(line.file);
    End(Replay(line, codec, std::move(options)));
  }
  if (line.mode == CommandLine::Mode::kMinimize) {
    CommandLine unshaped = line;  // what is written has the shape already
    unshaped.shape_threads = 0;
    End(Minimize(line, codec, std::move(options), ReplayCommand(unshaped)));
  }
  if (line.mode == CommandLine::Mode::kTriage) End(Triage(line, codec, HowToRerun(line)));
  if (line.mode == CommandLine::Mode::kAddRegression)
    End(AddRegression(line, codec, HowToRerun(line)));
  if (line.mode == CommandLine::Mode::kSurvey) End(Survey(line, codec, std::move(options)));
  if (line.mode != CommandLine::Mode::kFuzz) End(Convert(line, codec));

  SetArtifactFlags(line.engine, ReplayCommand(line), TakeVariable("JACQUARD_SEED_SOURCES"));
  fuzzer = new Fuzzer(codec, line, std::move(options));
  ShowProgress(codec.name(), line.engine);
  // Where other processes execute it is also what a failure in one of them gives: always of -jobs,
  // and of -fork if a sanitizer has found it.
  const bool may_be_failure =
      HasFlag(line.engine, "-jobs=") ||
      (HasFlag(line.engine, "-fork=") && std::string_view(FormName()) == "native");
  if (EngineIsLibFuzzer() && !may_be_failure) on_exit(EndWithUsage, nullptr);
  std::atexit([] { fuzzer->PrintStatistics(); });

  if (EngineIsLibFuzzer()) AddEngineDefaults(line.engine);
  line.engine.insert(line.engine.end(), line.inherited.begin(), line.inherited.end());
  // The engine keeps the pointers.
  static std::vector<std::string> arguments;
  static std::vector<char*> pointers;
  arguments = std::move(line.engine);
  for (std::string& argument : arguments) pointers.push_back(argument.data());
  *argc = static_cast<int>(pointers.size());
  pointers.push_back(nullptr);
  *argv = pointers.data();
}

}  // namespace
}  // namespace jacquard::fuzzers

extern "C" {

int LLVMFuzzerInitialize(int* argc, char*** argv) {
  jacquard::fuzzers::Initialize(argc, argv);
  return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  jacquard::fuzzers::fuzzer->TestOneInput({data, size});
  return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size, unsigned seed) {
  return jacquard::fuzzers::fuzzer->Mutate(data, size, max_size, seed, LLVMFuzzerMutate);
}

size_t LLVMFuzzerCustomCrossOver(const uint8_t* data1, size_t size1, const uint8_t* data2,
                                 size_t size2, uint8_t* out, size_t max_size, unsigned seed) {
  return jacquard::fuzzers::fuzzer->CrossOver({data1, size1}, {data2, size2}, out, max_size, seed);
}
}
