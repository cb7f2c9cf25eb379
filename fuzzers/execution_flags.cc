#include "fuzzers/execution_flags.h"

#include <fmt/format.h>

#include <map>

namespace jacquard::fuzzers {

void AddExecutionFlags(CLI::App& app, ExecutionOptions& options) {
  app.add_option("--max-steps", options.max_steps, "An execution with more steps is a livelock")
      ->check(CLI::PositiveNumber);
  const std::map<std::string, MemoryMode> memory_modes = {
      {MemoryModeName(MemoryMode::kSc), MemoryMode::kSc},
      {MemoryModeName(MemoryMode::kRc11), MemoryMode::kRc11}};
  app.add_option("--memory", options.memory,
                 "sc (sequential consistency, no data races) or rc11 (C++20's memory model, the "
                 "default)")
      ->transform(CLI::CheckedTransformer(memory_modes).description("sc|rc11"))
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
