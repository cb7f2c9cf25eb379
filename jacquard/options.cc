// Options as text: JACQUARD_OPTIONS, and the command lines of programs.
#include <fmt/format.h>

#include <charconv>
#include <concepts>
#include <string>
#include <string_view>
#include <utility>

#include "jacquard/check_options.h"
#include "jacquard/jacquard.h"
#include "sim/strategies.h"

namespace jacquard {
namespace {

constexpr int kMostJobs = 256;
constexpr std::string_view kFileName = "the name of a file";

// Each returns what the value must be; "" if it is that.
template <std::integral Number>
std::string ParseNumber(std::string_view value, Number least, Number& number) {
  Number parsed{};
  const auto [rest, error] = std::from_chars(value.data(), value.data() + value.size(), parsed);
  if (error != std::errc() || rest != value.data() + value.size() || parsed < least)
    return fmt::format("a whole number, at least {}", least);
  number = parsed;
  return {};
}

std::string ParseSeconds(std::string_view value, double& seconds) {
  double parsed = 0;
  const auto [rest, error] = std::from_chars(value.data(), value.data() + value.size(), parsed);
  if (error != std::errc() || rest != value.data() + value.size() || !(parsed > 0) || parsed > 1e9)
    return "a number above 0, and at most 1e9";
  seconds = parsed;
  return {};
}

std::string ParseChoice(std::string_view value, std::string_view yes, std::string_view no,
                        bool& flag) {
  if (value != yes && value != no) return fmt::format("{} or {}", yes, no);
  flag = value == yes;
  return {};
}

std::string ParseSwitch(std::string_view value, bool& flag) {
  if (value == "1" || value == "0") {
    flag = value == "1";
    return {};
  }
  return ParseChoice(value, "on", "off", flag);
}

// Something that is left to chance: never, as often as the strategy likes, or so often.
std::string ParseBound(std::string_view value, uint32_t& bound) {
  if (value == "on" || value == "off") {
    bound = value == "on" ? kAnyNumber : kNever;
    return {};
  }
  return ParseNumber<uint32_t>(value, 0, bound).empty() ? "" : "on, off or a whole number";
}

// `what`: such as "a token".
std::string ParseText(std::string_view value, std::string_view what, std::string& text) {
  if (value.empty()) return std::string(what);
  text = value;
  return {};
}

struct OptionType {
  std::string_view name;
  std::string_view value;
  std::string_view description;
  std::string (*parse)(std::string_view value, Options& options);
};

constexpr OptionType kOptionTypes[] = {
    {"strategy", "NAME", "how to search; help lists them",
     [](std::string_view value, Options& options) {
       options.strategy = value;
       return value == "help" || MakeStrategy(value, 1) != nullptr
                  ? std::string()
                  : "one of these:\n" + StrategyHelp();
     }},
    {"seed", "N", "what the strategy draws its chance from",
     [](std::string_view value, Options& options) {
       return ParseNumber<uint64_t>(value, 0, options.seed);
     }},
    {"executions", "N", "so many executions",
     [](std::string_view value, Options& options) {
       return ParseNumber<uint64_t>(value, 1, options.executions);
     }},
    {"seconds", "S", "so long",
     [](std::string_view value, Options& options) { return ParseSeconds(value, options.seconds); }},
    {"jobs", "N", "so many processes share the executions and what they find, up to 256",
     [](std::string_view value, Options& options) {
       int number = 0;
       if (!ParseNumber<int>(value, 1, number).empty() || number > kMostJobs)
         return fmt::format("a whole number from 1 to {}", kMostJobs);
       options.jobs = number;
       return std::string();
     }},
    {"memory", "rc11|sc", "C++20's memory model, or sequential consistency",
     [](std::string_view value, Options& options) {
       bool rc11 = true;
       std::string problem = ParseChoice(value, "rc11", "sc", rc11);
       if (problem.empty()) options.execution.memory = rc11 ? MemoryMode::kRc11 : MemoryMode::kSc;
       return problem;
     }},
    {"races", "report|ignore", "whether a data race is a bug, or one more thing left to chance",
     [](std::string_view value, Options& options) {
       return ParseChoice(value, "report", "ignore", options.execution.races);
     }},
    {"spurious", "on|off|N", "whether (N: so often) waits may end for no reason",
     [](std::string_view value, Options& options) {
       return ParseBound(value, options.execution.spurious_wake_ups);
     }},
    {"timeouts", "on|off|N", "whether timed waits may end while others could still run",
     [](std::string_view value, Options& options) {
       return ParseBound(value, options.execution.time_outs);
     }},
    {"wake_order", "on|off", "whether a wake-up may choose among those who wait",
     [](std::string_view value, Options& options) {
       return ParseSwitch(value, options.execution.wake_order);
     }},
    {"max_steps", "N", "an execution with more steps is a livelock",
     [](std::string_view value, Options& options) {
       return ParseNumber<uint64_t>(value, 1, options.execution.max_steps);
     }},
    {"unfair_steps", "N",
     "from so many steps on, or from half of max_steps on, every thread gets its turn",
     [](std::string_view value, Options& options) {
       return ParseNumber<uint64_t>(value, 1, options.execution.unfair_steps);
     }},
    {"max_history", "N", "so many stores of a location are kept, 2 to 1000",
     [](std::string_view value, Options& options) {
       uint32_t number = 0;
       if (!ParseNumber<uint32_t>(value, 2, number).empty() || number > 1000)
         return std::string("a whole number from 2 to 1000");
       options.execution.max_history = number;
       return std::string();
     }},
    {"lock_order", "report|execution|ignore",
     "whether locks in different orders are a bug: also if only seen in different executions, "
     "within "
     "one, or not",
     [](std::string_view value, Options& options) {
       if (value != "report" && value != "execution" && value != "ignore")
         return std::string("report, execution or ignore");
       options.execution.lock_order = value != "ignore";
       options.lock_order_across_executions = value == "report";
       return std::string();
     }},
    {"leaks", "report|ignore", "whether memory that is lost is a bug",
     [](std::string_view value, Options& options) {
       return ParseChoice(value, "report", "ignore", options.execution.check_leaks);
     }},
    {"library_bugs", "ignore|report",
     "whether known faults of the C++ library's own waits and pointers are bugs: docs/findings.md",
     [](std::string_view value, Options& options) {
       return ParseChoice(value, "report", "ignore", options.execution.library_bugs);
     }},
    {"annotations", "believe|ignore",
     "whether what the program tells ThreadSanitizer of its locks is taken for true",
     [](std::string_view value, Options& options) {
       return ParseChoice(value, "believe", "ignore", options.execution.annotations);
     }},
    {"allocations", "succeed|may_fail", "whether each allocation may fail",
     [](std::string_view value, Options& options) {
       return ParseChoice(value, "may_fail", "succeed", options.execution.allocations_may_fail);
     }},
    {"status", "ignore|report", "whether a program's status other than 0 is a bug",
     [](std::string_view value, Options& options) {
       bool report = false;
       std::string problem = ParseChoice(value, "report", "ignore", report);
       if (problem.empty())
         options.execution.exits = report ? ExitMode::kMustBeZero : ExitMode::kIsFree;
       return problem;
     }},
    {"constructors", "once|each",
     "whether the constructors of a program's globals run once, or in each execution",
     [](std::string_view value, Options& options) {
       bool each = false;
       std::string problem = ParseChoice(value, "each", "once", each);
       if (problem.empty()) options.constructors = each ? Constructors::kEach : Constructors::kOnce;
       return problem;
     }},
    {"exit_functions", "run|skip",
     "whether what a program calls at its end is looked at: destructors of globals, atexit",
     [](std::string_view value, Options& options) {
       return ParseChoice(value, "run", "skip", options.execution.exit_functions);
     }},
    {"stop", "first|never", "whether to go on after the first bug",
     [](std::string_view value, Options& options) {
       return ParseChoice(value, "first", "never", options.stop_at_first_bug);
     }},
    {"minimize", "on|off", "whether a failure is reported with as few choices as still lead to it",
     [](std::string_view value, Options& options) { return ParseSwitch(value, options.minimize); }},
    {"replay", "TOKEN", "just the one execution that the token stands for",
     [](std::string_view value, Options& options) {
       return ParseText(value, "a token", options.replay);
     }},
    {"json", "FILE", "write the first finding there, for programs",
     [](std::string_view value, Options& options) {
       return ParseText(value, kFileName, options.json);
     }},
    {"timeline", "FILE",
     "write its report there, with every event; a page for a browser if FILE ends in .html",
     [](std::string_view value, Options& options) {
       return ParseText(value, kFileName, options.timeline);
     }},
    {"result", "FILE", "write what was explored and found there, for programs",
     [](std::string_view value, Options& options) {
       return ParseText(value, kFileName, options.result);
     }},
    {"progress", "1|0", "say on standard error how far the search has come",
     [](std::string_view value, Options& options) { return ParseSwitch(value, options.progress); }},
    {"quiet", "1|0",
     "drop the program's output, but for the execution that is reported; and no progress",
     [](std::string_view value, Options& options) { return ParseSwitch(value, options.quiet); }},
};

std::string ParseOption(std::string_view word, Options& options) {
  const size_t equals = word.find('=');
  const std::string_view name = word.substr(0, equals);
  for (const OptionType& type : kOptionTypes) {
    if (type.name != name) continue;
    if (equals == std::string_view::npos)
      return fmt::format("option \"{}\" needs a value: {}={}", name, name, type.value);
    const std::string_view value = word.substr(equals + 1);
    const std::string must_be = type.parse(value, options);
    if (must_be.empty()) return {};
    return fmt::format("option {}: \"{}\" is not {}", name, value, must_be);
  }
  return fmt::format("there is no option \"{}\"; there are:\n{}", name, OptionsHelp());
}

}  // namespace

std::string ParseOptions(std::string_view text, Options& options) {
  constexpr std::string_view kSpace = " \t\n";
  for (;;) {
    const size_t begin = text.find_first_not_of(kSpace);
    if (begin == std::string_view::npos) return {};
    text.remove_prefix(begin);
    const std::string_view word = text.substr(0, text.find_first_of(kSpace));
    text.remove_prefix(word.size());
    if (std::string problem = ParseOption(word, options); !problem.empty()) return problem;
  }
}

std::string call::CheckOptions(const Options& options) {
  Options unused;
  std::string problem;
  // As the text that says the same.
  const auto check = [&](std::string_view name, auto value) {
    if (problem.empty()) problem = ParseOption(fmt::format("{}={}", name, value), unused);
  };
  if (options.seconds != 0) check("seconds", options.seconds);  // 0: no bound
  check("jobs", options.jobs);
  check("max_steps", options.execution.max_steps);
  check("unfair_steps", options.execution.unfair_steps);
  check("max_history", options.execution.max_history);
  return problem;
}

std::string OptionsHelp() {
  std::string text;
  for (const OptionType& type : kOptionTypes) {
    text +=
        fmt::format("  {:28} {}\n", fmt::format("{}={}", type.name, type.value), type.description);
  }
  return text;
}

std::string StrategyHelp() {
  std::string text;
  for (const StrategyType& type : StrategyTypes()) {
    text += fmt::format("  {:16} {}\n", fmt::format("{}{}", type.name, type.parameters),
                        type.description);
  }
  return text;
}

}  // namespace jacquard
