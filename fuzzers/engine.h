// What depends on the engine: how a fuzz target ends when an input fails, and how it tells what an
// input has reached.
//
// libFuzzer's object is linked with its _Exit, fopen and vfprintf and the sanitizers' functions
// that it uses redirected here (BUILD, :libfuzzer). So Jacquard knows which file libFuzzer has
// written the input to, and prints its path as the very last line. Under any other engine a failure
// is a plain abort().
#ifndef JACQUARD_FUZZERS_ENGINE_H_
#define JACQUARD_FUZZERS_ENGINE_H_

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace jacquard::fuzzers {

// Asked of the linker, not of the build, so that what depends on it is compiled once for all
// engines.
bool EngineIsLibFuzzer();

// What a command that replays a file ends with.
inline constexpr std::string_view kReplayFlag = " --replay";

// The flags of the engine's command line that say where artifacts go; and the command that replays
// one, to be followed by its path. `seed_sources`: in a regression run the list of seed_sources.h;
// then the file that a seed comes from is named instead of the artifact. Otherwise "".
void SetArtifactFlags(const std::vector<std::string>& engine_arguments, std::string replay_command,
                      std::string seed_sources);

// The input of the execution that begins, which stays where it is until null says that it has
// ended. By that a file that the engine could not write is told from one that it has written.
void SetRunningInput(const std::span<const uint8_t>* input);

// Lets the engine save the input that is being executed, prints the command that replays it and, as
// the last line, its path; ends the process. An input that could not be written is printed instead.
// From any thread.
[[noreturn]] void EndWithCrash();

// Writes `input` to the artifact folder as no-step-HASH and prints its path as the last line: for a
// watchdog, when the engine can do nothing any more. From any thread.
void SaveNoStepInput(std::span<const uint8_t> input);

// Prints to standard error at once, without any buffer.
void Print(const std::string& text);

// From now on `listener` is given what libFuzzer prints, instead of standard error.
void SetEngineListener(std::function<void(std::string_view text)> listener);

// At most so many counters can be told.
inline constexpr size_t kMostCounters = 4096;

// Tells an engine other than libFuzzer, which looks for itself, which of `counters` the last
// execution has set, and clears them: through the callback of -fsanitize-coverage=trace-pc-guard,
// as if each were an edge of the code. An engine that has none is told nothing. The same counters
// each time; costs a look at each.
void TellEngine(std::span<uint8_t> counters);

}  // namespace jacquard::fuzzers

#endif  // JACQUARD_FUZZERS_ENGINE_H_
