// The seeds of the validator's fuzz target lead to the report that they say they show.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "fuzzers/codec.h"
#include "fuzzers/input.h"
#include "fuzzers/lockdep_scenario.h"
#include "fuzzers/scenario.h"
#include "fuzzers/text.h"
#include "gtest/gtest.h"
#include "lock/lockdep/report.h"
#include "sim/native.h"

namespace jacquard {
namespace {

constexpr std::string_view kSays = "# says: ";

std::string ReadFile(const std::filesystem::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

// What the text says that it shows.
std::string Promise(const std::string& text) {
  const std::size_t begin = text.find(kSays);
  if (begin == std::string::npos) return "";
  return text.substr(begin + kSays.size(), text.find('\n', begin) - begin - kSays.size());
}

// The threads one after another. Returns the headline of the report, "nothing" without one.
std::string SaidBy(const fuzzers::Codec& codec, const fuzzers::Input& input) {
  LockdepScenario scenario;
  std::string said = "nothing";
  for (int thread = 0; thread < LockdepScenario::kMaxThreads; ++thread) {
    std::thread([&] {
      SetNativeThread(thread, 0);
      for (const fuzzers::Call& call : input.calls(thread)) {
        const OperationType& operation = codec.type().operations[call.operation];
        const int arguments[] = {call.arguments[0], call.arguments[1], call.arguments[2]};
        const char* const result = operation.run(&scenario, operation.method, arguments);
        if (result != nullptr && result != std::string_view("skipped")) said = result;
      }
      scenario.EndThread();
    }).join();
  }
  return said;
}

TEST(Seeds, ShowWhatTheySay) {
  const fuzzers::Codec codec(ScenarioTypeOf<LockdepScenario>("LockdepScenario"));
  std::set<std::string> shown;
  for (const auto& entry : std::filesystem::directory_iterator("corpus/lockdep")) {
    if (entry.path().extension() != ".txt") continue;
    SCOPED_TRACE(entry.path().string());
    const std::string text = ReadFile(entry.path());
    fuzzers::Input input;
    const std::optional<fuzzers::TextError> error = ParseText(text, codec, input);
    ASSERT_FALSE(error) << error->ToString(entry.path().string());
    // What only a schedule of its own shows is for the simulation.
    if (!input.exceptions().empty() && Promise(text).empty()) continue;
    const std::string said = SaidBy(codec, input);
    EXPECT_EQ(said, Promise(text));
    shown.insert(said);
  }
  EXPECT_TRUE(shown.contains("nothing"));
  using lock::lockdep::Rule;
  for (const Rule rule : {Rule::kCircular, Rule::kRecursive, Rule::kNestLock, Rule::kUnlock,
                          Rule::kDowngrade, Rule::kFreed, Rule::kHeldAtExit, Rule::kRcu}) {
    EXPECT_TRUE(shown.contains(HeadlineOf(rule))) << HeadlineOf(rule);
  }
}

}  // namespace
}  // namespace jacquard
