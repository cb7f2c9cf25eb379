// The flags that say what an execution is like, for every program that has them.
#ifndef JACQUARD_FUZZERS_EXECUTION_FLAGS_H_
#define JACQUARD_FUZZERS_EXECUTION_FLAGS_H_

#include <CLI/CLI.hpp>
#include <string>

#include "sim/execute.h"

namespace jacquard::fuzzers {

// What an option's value must be; CLI11's own says a limit of the type instead.
CLI::Validator PositiveNumber();

// A file that the user names, which an unset variable of a script does not.
CLI::Validator FileName();

// Adds --max-steps, --memory and --max-history, which must then outlive the parsing.
void AddExecutionFlags(CLI::App& app, ExecutionOptions& options);

// Those of them that are not the default, as they are to be said again, each with a space before
// it.
std::string ExecutionFlags(const ExecutionOptions& options);

}  // namespace jacquard::fuzzers

#endif  // JACQUARD_FUZZERS_EXECUTION_FLAGS_H_
