// Whether libFuzzer's -minimize_crash gets a failing input smaller than --minimize does.
//
// Smaller in the order that --minimize has: threads, operations, choices, choices of the memory
// model. Both have the same input, the crash that a fuzzing run ends with; libFuzzer knows the same
// failure by its DEDUP_TOKEN, which is the signature.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <iterator>
#include <sstream>
#include <stdexcept>
#include <string>

#include "fuzzers/child_process.h"
#include "tools/figures/figure.h"

namespace jacquard::figures {
namespace {

constexpr int kSeeds = 3;
constexpr const char* kTargets[] = {
    "tests/planted_bugs/no_recheck",
    "tests/planted_bugs/no_wait",
    "tests/planted_bugs/no_wake",
    "tests/fuzzers/silent_reader",
};
// What libFuzzer may use, each time it goes on from what it has.
constexpr int kLibFuzzerRuns = 300'000;
constexpr int kLibFuzzerSeconds = 30;

// Threads, operations, choices, choices of the memory model.
using Size = std::array<int, 4>;

Size SizeOf(const std::string& program, const std::string& input, const std::string& folder) {
  const ChildResult result = RunChild({program, "--to-text", input}, folder);
  if (result.exit_status != 0) throw std::runtime_error("--to-text fails:\n" + result.output);
  Size size = {};
  std::istringstream lines(result.output);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("thread ")) {
      ++size[0];
      if (!line.ends_with(':')) size[1] += 1 + static_cast<int>(std::ranges::count(line, ';'));
    }
    if (line.starts_with("schedule:")) size[2] += static_cast<int>(std::ranges::count(line, '+'));
    if (line.starts_with("memory:")) size[3] += static_cast<int>(std::ranges::count(line, '+'));
  }
  return size;
}

// The last of the files that -minimize_crash has written; the input itself if there is none.
std::string MinimizedByLibFuzzer(const std::string& program, const std::string& crash, int seed,
                                 const std::string& folder) {
  const ChildResult result = RunChild(
      {program, "-minimize_crash=1", fmt::format("-runs={}", kLibFuzzerRuns),
       fmt::format("-max_total_time={}", kLibFuzzerSeconds), fmt::format("-seed={}", seed), crash},
      folder);
  std::string smallest = crash;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (!entry.path().filename().string().starts_with("minimized-from-")) continue;
    if (entry.file_size() < std::filesystem::file_size(smallest)) smallest = entry.path();
  }
  return smallest;
}

// 1 if libFuzzer's is smaller, -1 if ours is.
int Compare(const std::string& target, int seed, std::string& sizes) {
  const ScratchFolder scratch;
  const std::string program = Program(target + "_fuzz_test_bin");
  const std::string bug = std::filesystem::path(target).filename();
  const std::string crash = scratch.path() + "/crash";
  const std::string ours = scratch.path() + "/ours";
  (void)RunChild(
      {program, fmt::format("-seed={}", seed), "-runs=20000000", "-exact_artifact_path=" + crash},
      scratch.path());
  const ChildResult minimized =
      RunChild({program, "--minimize", crash, "-o", ours}, scratch.path());
  if (minimized.exit_status != 0)
    throw std::runtime_error("--minimize fails:\n" + minimized.output);
  const Size our_size = SizeOf(program, ours, scratch.path());
  const Size their_size =
      SizeOf(program, MinimizedByLibFuzzer(program, crash, seed, scratch.path()), scratch.path());
  const auto text = [](const Size& size) {
    return fmt::format("{}/{}/{}/{}", size[0], size[1], size[2], size[3]);
  };
  sizes += fmt::format(" {}: {} and {};", bug, text(our_size), text(their_size));
  return their_size < our_size ? 1 : our_size < their_size ? -1 : 0;
}

std::vector<Figure> Measure() {
  int worse = 0;
  std::string sizes;
  for (const char* const target : kTargets) {
    for (int seed = 1; seed <= kSeeds; ++seed) worse += Compare(target, seed, sizes) > 0 ? 1 : 0;
  }
  sizes.pop_back();
  return {
      {"minimize_worse_than_libfuzzer", static_cast<double>(worse), "inputs", Bar::kAtMost, 0,
       fmt::format("of {} crashes, those that -minimize_crash makes smaller than --minimize does "
                   "(threads/operations/choices/memory choices, ours and libFuzzer's:{})",
                   std::size(kTargets) * kSeeds, sizes)}};
}

}  // namespace

std::vector<Measurement> Minimizing() {
  return {{"minimizing", "whether libFuzzer makes failing inputs smaller than we do", Measure}};
}

}  // namespace jacquard::figures
