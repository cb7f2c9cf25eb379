// Whose flag is whose.
#include "fuzzers/command_line.h"

#include <gtest/gtest.h>

namespace jacquard::fuzzers {
namespace {

using Mode = CommandLine::Mode;
using Strings = std::vector<std::string>;

CommandLine Parse(Strings arguments) {
  arguments.insert(arguments.begin(), "program");
  return ParseCommandLine(arguments, "toy", 4);
}

TEST(CommandLine, LeavesTheEnginesFlagsAlone) {
  const CommandLine line = Parse({"-runs=3", "corpus", "-seed=1", "seeds"});
  EXPECT_FALSE(line.exit_status);
  EXPECT_EQ(line.mode, Mode::kFuzz);
  EXPECT_EQ(line.engine, (Strings{"program", "-runs=3", "corpus", "-seed=1", "seeds"}));
}

TEST(CommandLine, TakesItsOwn) {
  const CommandLine line =
      Parse({"corpus", "--shape", "3x4", "-seed=1", "--time-limit=2", "--max-steps", "50"});
  EXPECT_FALSE(line.exit_status) << line.message;
  EXPECT_EQ(line.engine, (Strings{"program", "corpus", "-seed=1"}));
  EXPECT_EQ(line.shape_threads, 3);
  EXPECT_EQ(line.shape_operations, 4);
  EXPECT_EQ(line.time_limit, 2);
  EXPECT_EQ(line.execution.max_steps, 50u);
}

TEST(CommandLine, WritesAPageOnlyWithAReport) {
  EXPECT_EQ(Parse({"--replay", "a", "--html", "b.html"}).html, "b.html");
  EXPECT_EQ(Parse({"--html=b.html", "--minimize", "a"}).html, "b.html");
  for (const Strings& wrong : {Strings{"--html=b.html"}, Strings{"--html=b.html", "corpus"},
                               Strings{"--to-text", "a", "--html", "b.html"},
                               Strings{"--seed-corpus", "a", "b", "--html", "b.html"}}) {
    const CommandLine line = Parse(wrong);
    EXPECT_EQ(line.exit_status, kExitUsage);
    EXPECT_NE(line.message.find("--html: only with --replay or --minimize"), std::string::npos)
        << line.message;
  }
}

TEST(CommandLine, KnowsBothMemories) {
  EXPECT_EQ(Parse({"corpus"}).execution.memory, MemoryMode::kRc11);
  EXPECT_EQ(Parse({"--memory", "sc", "corpus"}).execution.memory, MemoryMode::kSc);
  EXPECT_EQ(Parse({"--memory=rc11", "--replay", "a"}).execution.memory, MemoryMode::kRc11);
  EXPECT_EQ(Parse({"--memory=tso"}).exit_status, kExitUsage);
  EXPECT_EQ(Parse({"--max-history", "8", "corpus"}).execution.max_history, 8u);
  EXPECT_EQ(Parse({"--max-history=1"}).exit_status, kExitUsage);
}

TEST(CommandLine, KnowsKindsOfFeatures) {
  EXPECT_EQ(Parse({"corpus"}).features, kDefaultFeatures);
  const CommandLine line = Parse({"--features", "states,reads", "corpus"});
  EXPECT_EQ(line.features, kStateFeatures | kReadFeatures) << line.message;
  EXPECT_EQ(line.engine, (Strings{"program", "corpus"}));
  EXPECT_EQ(Parse({"--features=none"}).features, 0u);
  EXPECT_EQ(Parse({"--features=luck"}).exit_status, kExitUsage);
}

TEST(CommandLine, KeepsItsOwnForProcessesThatTheEngineStarts) {
  EXPECT_EQ(Parse({"-runs=3", "corpus"}).inherited, Strings{});
  const CommandLine line =
      Parse({"--shape", "3x4", "-jobs=2", "--executions", "9", "--max-steps=50"});
  const Strings inherited = {"-ignore_remaining_args=1", "--shape", "3x4", "--max-steps=50"};
  EXPECT_EQ(line.inherited, inherited);
  // Such a process gets them and keeps them in turn.
  Strings arguments = {"-runs=9"};
  arguments.insert(arguments.end(), inherited.begin(), inherited.end());
  const CommandLine child = Parse(arguments);
  EXPECT_EQ(child.engine, (Strings{"program", "-runs=9"}));
  EXPECT_EQ(child.inherited, inherited);
  EXPECT_EQ(child.execution.max_steps, 50u);
}

TEST(CommandLine, TurnsABudgetIntoTheEngines) {
  EXPECT_EQ(Parse({"--executions=12"}).engine, (Strings{"program", "-runs=12"}));
}

TEST(CommandLine, KnowsItsTools) {
  CommandLine line = Parse({"--replay", "crash", "--all", "--time-limit", "3"});
  EXPECT_EQ(line.mode, Mode::kReplay) << line.message;
  EXPECT_EQ(line.file, "crash");
  EXPECT_TRUE(line.all);

  line = Parse({"--minimize", "crash", "--executions=9", "-o", "small"});
  EXPECT_EQ(line.mode, Mode::kMinimize) << line.message;
  EXPECT_EQ(line.file, "crash");
  EXPECT_EQ(line.output, "small");
  EXPECT_EQ(line.minimize_executions, 9u);
  EXPECT_EQ(Parse({"--minimize=a", "--replay=b"}).exit_status, kExitUsage);

  line = Parse({"--from-text=a.txt", "-o", "b", "--force"});
  EXPECT_EQ(line.mode, Mode::kFromText) << line.message;
  EXPECT_EQ(line.file, "a.txt");
  EXPECT_EQ(line.output, "b");
  EXPECT_TRUE(line.force);

  line = Parse({"--seed-corpus", "folder", "a.txt", "b.txt"});
  EXPECT_EQ(line.mode, Mode::kSeedCorpus) << line.message;
  EXPECT_EQ(line.output, "folder");
  EXPECT_EQ(line.files, (Strings{"a.txt", "b.txt"}));
  EXPECT_EQ(Parse({"--seed-corpus", "folder"}).mode, Mode::kSeedCorpus);
}

TEST(CommandLine, RefusesWhatItDoesNotKnow) {
  for (const Strings& arguments :
       {Strings{"--bogus"}, Strings{"--replay"}, Strings{"--replay", "a", "--to-text", "b"},
        Strings{"--replay", "a", "-runs=1"}, Strings{"--shape", "5x4"}, Strings{"--shape=3x"},
        Strings{"--shape=3x4x5"}, Strings{"--shape=0x1"}, Strings{"--executions=-1"},
        Strings{"--time-limit=0"}, Strings{"--force=maybe"}}) {
    const CommandLine line = Parse(arguments);
    EXPECT_EQ(line.exit_status, kExitUsage) << arguments[0];
    EXPECT_EQ(line.message.find("jacquard: "), 0u) << line.message;
  }
}

TEST(CommandLine, Helps) {
  const CommandLine line = Parse({"--help"});
  EXPECT_EQ(line.exit_status, kExitPass);
  for (const char* flag : {"--replay", "--to-text", "--from-text", "--shape", "--executions"}) {
    EXPECT_NE(line.message.find(flag), std::string::npos) << flag;
  }
}

}  // namespace
}  // namespace jacquard::fuzzers
