#include "fuzzers/execution_flags.h"

#include <fmt/format.h>

#include <cmath>
#include <cstdlib>

namespace jacquard::fuzzers {

CLI::Validator PositiveNumber() {
  const auto check = [](const std::string& text) -> std::string {
    char* end = nullptr;
    const double number = std::strtod(text.c_str(), &end);
    if (end != text.c_str() && *end == '\0' && std::isfinite(number) && number > 0) return {};
    return fmt::format("\"{}\" is not a number above 0", text);
  };
  return {check, "POSITIVE"};
}

CLI::Validator FileName() {
  const auto check = [](const std::string& text) -> std::string {
    return text.empty() ? "the name is empty; name a file" : "";
  };
  return {check, ""};
}

void AddExecutionFlags(CLI::App& app, ExecutionOptions& options) {
  app.add_option("--max-steps", options.max_steps, "An execution with more steps is a livelock")
      ->check(PositiveNumber());
  const std::string sc = MemoryModeName(MemoryMode::kSc);
  const std::string rc11 = MemoryModeName(MemoryMode::kRc11);
  app.add_option_function<std::string>(
         "--memory",
         [&options, sc](const std::string& mode) {
           options.memory = mode == sc ? MemoryMode::kSc : MemoryMode::kRc11;
         },
         "sc (sequential consistency, no data races) or rc11 (C++20's memory model, the default)")
      ->check(CLI::IsMember({sc, rc11}))
      ->type_name("MODE");
  app.add_option("--max-history", options.max_history,
                 "rc11: so many stores of an object are kept for reads to choose from")
      ->check(CLI::Range(2, 1000));
}

std::string ExecutionFlags(const ExecutionOptions& options) {
  const ExecutionOptions defaults;
  std::string flags;
  if (options.memory != defaults.memory)
    flags += fmt::format(" --memory {}", MemoryModeName(options.memory));
  if (options.max_history != defaults.max_history)
    flags += fmt::format(" --max-history {}", options.max_history);
  if (options.max_steps != defaults.max_steps)
    flags += fmt::format(" --max-steps {}", options.max_steps);
  return flags;
}

}  // namespace jacquard::fuzzers
