// How a fuzzing run is going: a panel on a terminal, and a file for the report of a campaign.
#ifndef JACQUARD_FUZZERS_PROGRESS_H_
#define JACQUARD_FUZZERS_PROGRESS_H_

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>

namespace jacquard::fuzzers {

// What the target knows by itself.
struct TargetProgress {
  uint64_t executions = 0;
  uint64_t steps = 0;
  uint64_t schedules = 0;  // distinct
  bool schedules_estimated = false;
  uint64_t states = 0;  // distinct pairs of the locks' state and an operation
};

// What the engine says in its lines.
struct EngineProgress {
  uint64_t executions = 0;
  uint64_t features = 0;
  uint64_t corpus = 0;  // inputs
};

// Reads a line of libFuzzer: "#1024	NEW    cov: 5 ft: 12 corp: 3/9b ..." or, of a run with
// -fork,
// "#1024: cov: 5 ft: 12 corp: 3 ...". False if it is another one.
bool ParseEngineLine(std::string_view line, EngineProgress& progress);

// Times are in seconds, on a clock that the caller has; nothing that is fuzzed depends on them. Not
// thread-safe.
class Progress {
 public:
  struct Options {
    std::string name = {};  // of the target
    std::string file;       // to which a JSON line is appended now and then; "": none
    bool panel = false;     // whether lines of the engine give way to a panel
    int columns = 80;       // of the panel
    double unix_time = 0;   // when the run began: tells runs apart
    std::function<TargetProgress()> target = nullptr;
    std::function<void(const std::string&)> print = nullptr;
  };

  explicit Progress(Options options) : options_(std::move(options)) {}

  // The engine prints `text`, which need not be whole lines, at `seconds` since the beginning.
  void OnEngineText(std::string_view text, double seconds);

  // Time has passed: repaints the panel and appends to the file where that is due.
  void Tick(double seconds);

  // The run is over, or something long is to be printed: takes the panel away. What is known is
  // appended to the file.
  void Finish(double seconds);

  // The text of the panel, without what moves the cursor.
  std::string Panel(double seconds) const;

 private:
  void OnEngineLine(const std::string& line, double seconds);
  void Paint(double seconds);
  void ClearPanel();
  void Append(double seconds);

  const Options options_;
  std::string unfinished_;  // line of the engine
  EngineProgress engine_;
  double last_new_feature_ = 0;
  std::map<std::string, uint64_t> bugs_;  // how often, by signature
  int painted_lines_ = 0;
  double next_paint_ = 0;
  double next_append_ = 1;
  bool failed_to_append_ = false;
};

}  // namespace jacquard::fuzzers

#endif  // JACQUARD_FUZZERS_PROGRESS_H_
