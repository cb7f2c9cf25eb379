// How long a browser takes to show the page of a long trace.
#include <fmt/format.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "fuzzers/child_process.h"
#include "tools/figures/figure.h"

namespace jacquard::figures {
namespace {

constexpr int kSteps = 10'000;
constexpr int kLoads = 9;

std::vector<Figure> Measure() {
  const ScratchFolder scratch;
  if (RunChild({"/bin/sh", "-c", "command -v chromium"}, scratch.path()).exit_status != 0) {
    fmt::print(stderr,
               "timeline: not measured: chromium is not installed (Debian: apt-get install "
               "chromium)\n");
    return {};
  }
  const ChildResult page = RunChild(
      {Program("tests/sim/timeline_page/pages"), "long", std::to_string(kSteps)}, scratch.path());
  const std::string path = scratch.path() + "/long.html";
  std::ofstream file(path);
  file << page.output;
  if (page.exit_status != 0 || !file.flush())
    throw std::runtime_error("timeline: there is no page to measure");
  std::vector<std::string> command = {"/usr/bin/python3",
                                      Program("tests/sim/timeline_page/browser.py"), "FIRST-PAINT"};
  command.insert(command.end(), kLoads, path);
  const ChildResult result = RunChild(command, scratch.path());
  std::vector<double> times;
  std::istringstream lines(result.output);
  for (double time = 0; lines >> time;) times.push_back(time);
  if (result.exit_status != 0 || times.size() != kLoads)
    throw std::runtime_error("timeline: the browser fails:\n" + result.output);
  return {{"timeline_first_paint", Median(times), "ms", Bar::kAtMost, 1000,
           fmt::format("from the start of the navigation to the first contentful paint of a "
                       "timeline of {} steps, the median of {} loads in chromium",
                       kSteps, kLoads)}};
}

}  // namespace

std::vector<Measurement> Timeline() {
  return {{"timeline", "how soon a browser shows a timeline of 10,000 steps", Measure}};
}

}  // namespace jacquard::figures
