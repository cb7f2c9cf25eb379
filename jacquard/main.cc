// A program with a main of its own: that is the body. Linked with --wrap=main: what the C library
// calls is this one.
#include <fcntl.h>
#include <fmt/format.h>
#include <pthread.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "jacquard/jacquard.h"
#include "jacquard/standard_input.h"

extern "C" {
int __real_main(int argc, char** argv, char** environment);
// Defined by whoever links options in front of "--" on the command line in (jacquard/BUILD).
extern const char jacquard_options_on_command_line __attribute__((weak));
}

namespace jacquard {
namespace {

enum ExitStatus { kNothingFound = 0, kBug = 1, kWrongRequest = 2, kNothingExecuted = 3 };

constexpr double kDefaultSeconds = 10;

// The arguments, as they are at the beginning of each execution: programs permute and cut them.
class Arguments {
 public:
  Arguments(char* program, char** begin, char** end) : strings_{program} {
    strings_.insert(strings_.end(), begin, end);
    for (const char* const string : strings_) contents_.emplace_back(string);
    pointers_.resize(strings_.size() + 1);
  }

  int count() const { return static_cast<int>(strings_.size()); }

  char** Fresh() {
    // Allocates nothing: it is called within executions.
    std::copy(strings_.begin(), strings_.end(), pointers_.begin());
    pointers_.back() = nullptr;
    for (size_t i = 0; i < strings_.size(); ++i)
      std::memcpy(strings_[i], contents_[i].c_str(), contents_[i].size() + 1);
    return pointers_.data();
  }

 private:
  std::vector<char*> strings_;
  std::vector<std::string> contents_;
  std::vector<char*> pointers_;
};

[[noreturn]] void Refuse(const std::string& problem, ExitStatus status = kWrongRequest) {
  std::fprintf(stderr, "jacquard: %s\n", problem.c_str());
  std::fflush(nullptr);
  _exit(status);  // a destructor may not be ready for it
}

[[noreturn]] void PrintAndExit(const std::string& text) {
  std::fputs(text.c_str(), stdout);
  std::exit(kNothingFound);
}

// Reads "executions=10" and "--executions=10".
void ReadOption(std::string_view word, const char* program, Options& options) {
  if (word.starts_with("--")) word.remove_prefix(2);
  if (word == "help" || word == "-h") {
    PrintAndExit(
        fmt::format("usage: {} [OPTION...] [-- ARGUMENT...]\nOptions, also in "
                    "JACQUARD_OPTIONS, separated by spaces:\n{}",
                    program, OptionsHelp()));
  }
  if (const std::string problem = ParseOptions(word, options); !problem.empty()) Refuse(problem);
}

// What the C library's getopt knows of the arguments of an execution before is forgotten, and
// `optind` is 1, where a program begins that looks at its arguments by itself.
void ResetGetopt() {
  char program[] = "";
  char* const none[] = {program, nullptr};
  optind = 0;
  [[maybe_unused]] const int result = getopt(1, none, "");
}

void* EndWithoutExecution(void* seconds) {
  LeaveSignalsToProgram();
  const double limit = *static_cast<const double*>(seconds);
  timespec time;
  time.tv_sec = static_cast<time_t>(limit);
  time.tv_nsec = static_cast<long>((limit - static_cast<double>(time.tv_sec)) * 1e9);
  do {
    nanosleep(&time, nullptr);
  } while (ProgramIsAlone());
  if (__atomic_load_n(&RuntimeCounters().executions, __ATOMIC_RELAXED) != 0) return nullptr;
  EndStuckProcess("the time was over before one execution had come to its end\n", kNothingExecuted);
}

// Ends the process when the time is over before one execution is.
void WatchFirstExecution(double limit) {
  static double seconds = limit;
  pthread_t thread;
  if (pthread_create(&thread, nullptr, EndWithoutExecution, &seconds) == 0) pthread_detach(thread);
}

bool IsLimit(const Finding& finding) { return finding.verdict.kind == VerdictKind::kUnsupported; }

// What constructors have made outside of the process, a lock file or shared memory, say, goes
// with their objects. In a process apart: a destructor may count on a main that has run.
void CallDestructorsApart() {
  std::fflush(nullptr);
  const pid_t child = fork();
  if (child == 0) {
    constexpr unsigned kPatience = 2;
    alarm(kPatience);
    const int nowhere = open("/dev/null", O_WRONLY);
    if (nowhere < 0) _exit(1);
    for (const int file : {STDOUT_FILENO, STDERR_FILENO}) dup2(nowhere, file);
    std::exit(0);
  }
  if (child > 0) waitpid(child, nullptr, 0);
}

// Executes the program again, so that constructors of globals are part of each execution.
[[noreturn]] void BeginWithConstructors(char** argv) {
  std::fflush(nullptr);
  const int error = ExecuteWithConstructors(argv);
  Refuse(
      fmt::format("the program cannot be executed again, to have the constructors of its globals "
                  "in each execution: {}",
                  std::strerror(error)));
}

// Whether constructors of globals are part of each execution. If that should be otherwise, executes
// the program again, or refuses it.
bool HasConstructors(const Options& options, bool replays, char** argv) {
  const bool has = HasConstructorsInExecutions();
  const bool wants = WantsConstructors(options);
  const bool may_have = options.constructors != Constructors::kOnce;
  const bool has_threads = RealThreadsOfProgram() != 0;
  if (!has && (wants || (has_threads && may_have))) BeginWithConstructors(argv);
  if (has && !wants && replays) {
    Refuse(
        "the replay token is of executions for which constructors have run once: constructors=each "
        "must not stand in JACQUARD_OPTIONS");
  }
  if (has_threads || (has && !may_have)) {
    Refuse(
        fmt::format("unsupported: the constructor of a global{} has started a thread, which is a "
                    "real one that the simulation does not know. A function-local static is "
                    "constructed within main{}",
                    may_have ? " in a shared library" : "",
                    may_have ? "" : ", and with constructors=each all are"));
  }
  return has;
}

int Main(int argc, char** argv, char** environment) {
  Options options;
  options.execution.exits = ExitMode::kIsFree;
  options.progress = true;
  char** const end = argv + argc;
  char** first = argv + std::min(argc, 1);
  const char* const given = std::getenv("JACQUARD_OPTIONS");
  if (given == nullptr && &jacquard_options_on_command_line != nullptr) {
    while (first != end && std::strcmp(*first, "--") != 0) ReadOption(*first++, argv[0], options);
    if (first != end) ++first;
  } else if (given != nullptr) {
    if (const std::string problem = ParseOptions(given, options); !problem.empty())
      Refuse("JACQUARD_OPTIONS: " + problem);
  }
  if (options.strategy == "help") PrintAndExit(StrategyHelp());
  const bool replays = !options.replay.empty() || std::getenv("JACQUARD_REPLAY") != nullptr;
  options.execution.constructors = HasConstructors(options, replays, argv);
  if (options.executions == 0 && options.seconds == 0) options.seconds = kDefaultSeconds;
  // Nobody has asked for anything. If there are no threads to explore either, it is a program as
  // configuration scripts and builds run them.
  if (given == nullptr && first == argv + std::min(argc, 1) && !replays)
    options.execution.exits = ExitMode::kIsRealIfAlone;

  static const auto& input = *new StandardInput;  // a destructor would be the program's
  if (!input.problem().empty()) Refuse(input.problem());
  BeginProgram();
  // Of several processes Explore knows whether they have executed anything.
  if (!replays && options.seconds > 0 && options.jobs == 1) WatchFirstExecution(options.seconds);
  static auto& arguments = *new Arguments(argv[0], first, end);
  const Result result = Explore(
      [environment] {
        input.Rewind();
        ResetGetopt();
        RunConstructors(arguments.count(), arguments.Fresh(), environment);
        ReturnFromMain(__real_main(arguments.count(), arguments.Fresh(), environment));
      },
      options);
  if (result.needs_constructors && result.findings.empty()) {
    input.Rewind();
    arguments.Fresh();  // the execution may have changed the strings
    CallDestructorsApart();
    BeginWithConstructors(argv);
  }
  if (!result.problem.empty()) {
    const bool nothing_executed =
        options.seconds > 0 && result.executions == 0 && result.seconds > options.seconds;
    Refuse(result.problem, nothing_executed ? kNothingExecuted : kWrongRequest);
  }
  for (const Finding& finding : result.findings)
    std::fprintf(stderr, "%s\n", finding.report.c_str());
  std::string summary = Summary(result);
  const std::string table = Table(result);
  const bool has_table = summary.ends_with(table);
  if (options.quiet && has_table) summary.resize(summary.size() - table.size() - 1);
  std::fprintf(stderr, "jacquard: %s\n", summary.c_str());
  if (!options.quiet && !replays && !has_table) std::fprintf(stderr, "%s\n", table.c_str());
  if (std::all_of(result.findings.begin(), result.findings.end(), IsLimit))
    return result.findings.empty() ? kNothingFound : kWrongRequest;
  return kBug;
}

}  // namespace
}  // namespace jacquard

extern "C" int __wrap_main(int argc, char** argv, char** environment) {
  // No destructors: those that belong to executions have been called there.
  std::fflush(nullptr);
  const int status = jacquard::Main(argc, argv, environment);
  std::fflush(nullptr);
  _exit(status);
}
