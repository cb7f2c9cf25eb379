// What a fuzz target does instead of fuzzing: replay an input, convert inputs.
#ifndef JACQUARD_FUZZERS_TOOL_H_
#define JACQUARD_FUZZERS_TOOL_H_

#include <string>

#include "fuzzers/codec.h"
#include "fuzzers/command_line.h"
#include "fuzzers/files.h"
#include "fuzzers/form.h"
#include "fuzzers/input.h"

namespace jacquard::fuzzers {

// Says on standard error what is wrong with the request, and returns the exit status for that.
int Complain(const std::string& message);

// Converts as `line` says. Messages go to standard error. Returns the exit status.
int Convert(const CommandLine& line, const Codec& codec);

// Shrinks `line.file` and writes the result to another file, whose path is the last line. `replay`
// is the command that replays a file, to be followed by its path. Returns the exit status.
int Minimize(const CommandLine& line, const Codec& codec, FormOptions options,
             const std::string& replay);

// Executes `line.file`. Prints what fails, or one line that it passes. Returns the exit status.
int Replay(const CommandLine& line, const Codec& codec, FormOptions options);

}  // namespace jacquard::fuzzers

#endif  // JACQUARD_FUZZERS_TOOL_H_
