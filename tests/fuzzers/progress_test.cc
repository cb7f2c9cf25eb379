#include "fuzzers/progress.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <string>
#include <vector>

namespace jacquard::fuzzers {
namespace {

using testing::TempDir;

TEST(ParseEngineLine, ReadsWhatLibFuzzerPrints) {
  EngineProgress progress;
  EXPECT_TRUE(ParseEngineLine(
      "#1024\tNEW    cov: 5 ft: 12 corp: 3/9b lim: 256 exec/s: 512 rss: 37Mb", progress));
  EXPECT_EQ(progress.executions, 1024u);
  EXPECT_EQ(progress.features, 12u);
  EXPECT_EQ(progress.corpus, 3u);
}

TEST(ParseEngineLine, ReadsALineOfSeveralProcesses) {
  EngineProgress progress;
  EXPECT_TRUE(ParseEngineLine(
      "#4096: cov: 5 ft: 13 corp: 4 exec/s: 2048 oom/timeout/crash: 0/0/0 time: 2s job: 1",
      progress));
  EXPECT_EQ(progress.executions, 4096u);
  EXPECT_EQ(progress.features, 13u);
  EXPECT_EQ(progress.corpus, 4u);
}

TEST(ParseEngineLine, LeavesOtherLinesAlone) {
  EngineProgress progress = {.executions = 1, .features = 2, .corpus = 3};
  for (const char* const line :
       {"INFO: Seed: 1337", "", "#", "# a comment", "###### Recommended dictionary. ######",
        "Done 4 runs in 0 second(s)", "  ft: 7"}) {
    EXPECT_FALSE(ParseEngineLine(line, progress)) << line;
  }
  EXPECT_EQ(progress.executions, 1u);
  EXPECT_EQ(progress.features, 2u);
}

class ProgressTest : public testing::Test {
 protected:
  Progress Make(bool panel, const std::string& file = {}) {
    return Progress({.name = "toy",
                     .file = file,
                     .panel = panel,
                     .columns = 60,
                     .unix_time = 1000,
                     .target = [this] { return target_; },
                     .print = [this](const std::string& text) { printed_ += text; }});
  }

  TargetProgress target_ = {.executions = 1234567, .steps = 5000000, .schedules = 99, .states = 7};
  std::string printed_;
};

TEST_F(ProgressTest, WithoutAPanelPrintsWhatTheEnginePrints) {
  Progress progress = Make(false);
  progress.OnEngineText("#8\tpulse  ", 0.1);
  EXPECT_EQ(printed_, "#8\tpulse  ");
  progress.OnEngineText("ft: 12 corp: 3/9b\nINFO: on", 3);
  progress.Finish(4);
  EXPECT_EQ(printed_, "#8\tpulse  ft: 12 corp: 3/9b\nINFO: on");
}

TEST_F(ProgressTest, APanelTakesThePlaceOfStatusLinesOnly) {
  Progress progress = Make(true);
  progress.OnEngineText("#8\tNEW    ft: 12 corp: 3/9b\nINFO: something\n", 0);
  EXPECT_EQ(printed_.find("#8"), std::string::npos) << printed_;
  EXPECT_TRUE(printed_.starts_with("INFO: something\n")) << printed_;
  EXPECT_NE(printed_.find("features                    12"), std::string::npos) << printed_;
}

TEST_F(ProgressTest, ThePanelSaysHowItGoes) {
  Progress progress = Make(true);
  progress.OnEngineText("#8\tNEW    ft: 12 corp: 3/9b\n", 4);
  const std::string panel = progress.Panel(10);
  EXPECT_NE(panel.find("toy, 10 s\n"), std::string::npos) << panel;
  EXPECT_NE(panel.find("1,234,567   123,456 a second\n"), std::string::npos) << panel;
  EXPECT_NE(panel.find("5,000,000"), std::string::npos) << panel;
  EXPECT_NE(panel.find(" 7   each"), std::string::npos) << panel;
  EXPECT_NE(panel.find(" 99   distinct\n"), std::string::npos) << panel;
  EXPECT_NE(panel.find(" 3   inputs\n"), std::string::npos) << panel;
  EXPECT_NE(panel.find("the last new one 6 s ago\n"), std::string::npos) << panel;
  for (size_t begin = 0; begin < panel.size();) {
    const size_t end = panel.find('\n', begin);
    EXPECT_LT(end - begin, 60u) << "a line that the terminal would break";
    begin = end + 1;
  }
}

TEST_F(ProgressTest, WhatIsNotKnownIsLeftOut) {
  target_ = {.executions = 5};
  const std::string panel = Make(true).Panel(1);
  for (const char* const word : {"steps", "states", "schedules"})
    EXPECT_EQ(panel.find(word), std::string::npos) << panel;
}

TEST_F(ProgressTest, CountsBugsBySignature) {
  Progress progress = Make(true);
  progress.OnEngineText("DEDUP_TOKEN: race|a\nDEDUP_TOKEN: race|b\nDEDUP_TOKEN: race|a\n", 0);
  const std::string panel = progress.Panel(1);
  EXPECT_NE(panel.find(" 2   by signature"), std::string::npos) << panel;
  EXPECT_NE(panel.find("2 times  race|a\n"), std::string::npos) << panel;
  EXPECT_NE(panel.find("1 times  race|b\n"), std::string::npos) << panel;
}

TEST_F(ProgressTest, ThePanelIsPaintedInItsOwnPlace) {
  Progress progress = Make(true);
  progress.Tick(1);
  const auto lines = std::count(printed_.begin(), printed_.end(), '\n');
  progress.Tick(1.1);
  EXPECT_EQ(std::count(printed_.begin(), printed_.end(), '\n'), lines) << "not so soon";
  printed_.clear();
  progress.Tick(2);
  EXPECT_TRUE(printed_.starts_with("\033[" + std::to_string(lines) + "F\033[J")) << printed_;
  progress.Finish(3);
  printed_.clear();
  progress.OnEngineText("INFO: afterwards\n", 3.1);
  EXPECT_TRUE(printed_.starts_with("INFO: ")) << "what was the last panel stays";
}

TEST_F(ProgressTest, TheFileGrowsMoreSlowlyThanTime) {
  const std::string path = TempDir() + "progress.jsonl";
  Progress progress = Make(false, path);
  progress.OnEngineText("#8\tNEW    ft: 12 corp: 3/9b\n", 0.1);
  for (int second = 0; second < 100000; ++second) progress.Tick(second);
  progress.Finish(100000);
  std::ifstream file(path);
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  EXPECT_GT(lines.size(), 100u);
  EXPECT_LT(lines.size(), 250u);
  EXPECT_EQ(
      lines.back(),
      R"({"began":1000.0,"seconds":100000.0,"executions":1234567,"steps":5000000,"features":12,)"
      R"("corpus":3,"schedules":99,"states":7})");
}

TEST_F(ProgressTest, AFileThatCannotBeWrittenIsNamedOnce) {
  Progress progress = Make(false, "/nonexistent/progress.jsonl");
  progress.Tick(1);
  progress.Tick(10);
  EXPECT_EQ(printed_, "jacquard: cannot write /nonexistent/progress.jsonl\n");
}

}  // namespace
}  // namespace jacquard::fuzzers
