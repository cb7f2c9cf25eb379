#include "tools/figures/kept_results.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "fuzzers/child_process.h"
#include "tools/figures/text.h"

namespace jacquard::figures {
namespace {

void Write(const std::string& path, const std::string& text) { std::ofstream(path) << text; }

// Counts its runs in a file next to it, and leaves a file of its own in its folder.
class KeptResultsTest : public testing::Test {
 protected:
  KeptResultsTest() {
    KeepResultsIn(home_.path() + "/kept");
    std::filesystem::create_directory(home_.path() + "/inputs");
    Write(input(), "one");
    SetProgram("cat $2/input; echo left > $3/left; exit 3");
  }
  ~KeptResultsTest() override { KeepResultsIn(""); }

  std::string input() const { return home_.path() + "/inputs/input"; }

  void SetProgram(const std::string& commands) {
    const std::string runs = home_.path() + "/runs";
    Write(program_, "#!/bin/sh\necho >> " + runs + "\n" + commands + "\n");
    std::filesystem::permissions(program_, std::filesystem::perms::owner_all);
  }

  // Each time in a new folder.
  ChildResult Run(const std::string& word) {
    const ScratchFolder scratch;
    const ChildResult result =
        RunChildOnce({program_, word, home_.path() + "/inputs", scratch.path()}, scratch);
    left_ = std::filesystem::exists(scratch.path() + "/left") ? ReadText(scratch.path() + "/left")
                                                              : "nothing";
    return result;
  }

  size_t Runs() const { return ReadText(home_.path() + "/runs").size(); }

  std::string left_;

 private:
  const ScratchFolder home_;
  const std::string program_ = home_.path() + "/program";
};

TEST_F(KeptResultsTest, TheSameCommandIsRunOnce) {
  const ChildResult first = Run("a");
  const ChildResult second = Run("a");
  EXPECT_EQ(Runs(), 1);
  EXPECT_EQ(second.exit_status, 3);
  EXPECT_EQ(second.output, "one");
  EXPECT_EQ(second.cpu_seconds, first.cpu_seconds);
  EXPECT_EQ(second.resident_bytes, first.resident_bytes);
  EXPECT_EQ(left_, "left\n");
}

TEST_F(KeptResultsTest, OtherWordsAreAnotherCommand) {
  Run("a");
  Run("b");
  EXPECT_EQ(Runs(), 2);
}

TEST_F(KeptResultsTest, OtherContentIsAnotherCommand) {
  Run("a");
  Write(input(), "two");
  EXPECT_EQ(Run("a").output, "two");
  SetProgram("echo another");
  EXPECT_EQ(Run("a").output, "another\n");
  EXPECT_EQ(Runs(), 3);
}

TEST_F(KeptResultsTest, WhatASignalEndedIsNotKept) {
  SetProgram("kill -9 $$");
  EXPECT_EQ(Run("a").exit_status, 128 + 9);
  Run("a");
  EXPECT_EQ(Runs(), 2);
}

TEST_F(KeptResultsTest, WithoutAFolderEverythingIsRunAgain) {
  KeepResultsIn("");
  Run("a");
  Run("a");
  EXPECT_EQ(Runs(), 2);
}

}  // namespace
}  // namespace jacquard::figures
