#include "fuzzers/survey.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fuzzers/engine.h"
#include "fuzzers/load_input.h"
#include "fuzzers/tool.h"

namespace jacquard::fuzzers {
namespace {

constexpr int kTimes = 3;  // the shortest counts
constexpr size_t kMostChanges = 1 << 16;

struct Surveyed {
  std::string path;
  uint64_t steps = 0;
  double seconds = 0;
  bool fails = false;
};

std::string StateName(const ScenarioType& type, int state) {
  std::string name;
  if (type.state_name != nullptr) type.state_name(state, &name);
  return name.empty() ? fmt::format("state {}", state) : name;
}

std::string OperationName(const ScenarioType& type, int operation) {
  return operation < 0 ? "between operations" : type.operations[operation].name;
}

}  // namespace

int Survey(const CommandLine& line, const Codec& codec, FormOptions options) {
  if (std::string_view(FormName()) == "native")
    return Complain("--survey needs the simulated form: real threads tell no states");
  std::vector<std::string> files;
  for (const std::string& path : line.files) {
    if (const std::string problem = AddFiles(path, files); !problem.empty())
      return Complain(problem);
  }
  options.on_fatal = [](const std::string& report, bool no_step) {
    Print(report);
    if (!no_step) _exit(kExitUsage);
  };
  Form form(codec, std::move(options));
  std::vector<StateSeen> seen;
  seen.reserve(kMostChanges);
  std::map<StateSeen, uint64_t> inputs_of;  // that have reached it
  std::vector<Surveyed> surveyed;
  std::vector<std::string> no_inputs;
  for (const std::string& path : files) {
    Input input;
    if (const std::string problem = LoadInput(path, codec, &input); !problem.empty()) {
      no_inputs.push_back(problem);
      continue;
    }
    Surveyed entry = {.path = path};
    for (int time = 0; time < kTimes; ++time) {
      seen.clear();
      form.RecordStates(time == 0 ? &seen : nullptr);
      const uint64_t steps = form.steps();
      const auto start = std::chrono::steady_clock::now();
      entry.fails = !form.Execute(input);
      const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
      entry.steps = form.steps() - steps;
      entry.seconds = time == 0 ? took.count() : std::min(entry.seconds, took.count());
      if (time == 0)
        for (const StateSeen& one : std::set<StateSeen>(seen.begin(), seen.end())) ++inputs_of[one];
    }
    surveyed.push_back(std::move(entry));
  }

  const ScenarioType& type = codec.type();
  nlohmann::ordered_json json = {{"jacquard_survey", 1}, {"target", codec.name()}};
  json["operations"] = nlohmann::ordered_json::array();
  for (int i = 0; i < type.operation_count; ++i)
    json["operations"].push_back(type.operations[i].name);
  json["states"] = nlohmann::ordered_json::array();
  for (const auto& [one, inputs] : inputs_of) {
    json["states"].push_back({{"state", StateName(type, one.state)},
                              {"operation", OperationName(type, one.operation)},
                              {"inputs", inputs}});
  }
  json["inputs"] = nlohmann::ordered_json::array();
  for (const Surveyed& entry : surveyed) {
    json["inputs"].push_back({{"path", entry.path},
                              {"steps", entry.steps},
                              {"seconds", entry.seconds},
                              {"fails", entry.fails}});
  }
  json["no_inputs"] = no_inputs;
  const std::string text =
      json.dump(1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
  const std::string problem = WriteFile("-", Bytes(text.begin(), text.end()), true);
  return problem.empty() ? kExitPass : Complain(problem);
}

}  // namespace jacquard::fuzzers
