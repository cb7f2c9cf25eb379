// The text form: what a person writes, what comes back, and what is said of mistakes.
#include "fuzzers/text.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "fuzzers/codec.h"
#include "tests/fuzzers/toy_scenario.h"

namespace jacquard::fuzzers {
namespace {

const Codec& ToyCodec() {
  static const Codec codec(ScenarioTypeOf<ToyScenario>("ToyScenario"));
  return codec;
}

// The error of a text, or "ok".
std::string ErrorOf(std::string_view text) {
  Input input;
  const auto error = ParseText(text, ToyCodec(), input);
  return error ? error->ToString("f.txt") : "ok";
}

constexpr std::string_view kCanonical =
    "jacquard scenario 2 toy\n"
    "thread 0: none; one a=2; two a=1 b=3\n"
    "thread 1:\n"
    "thread 2: three a=1 b=2 c=0; lambda\n"
    "schedule: +3:1 +0:2 +65535:127\n"
    "memory: +1:0 +65535:63\n";

TEST(Text, CanonicalTextIsAFixedPoint) {
  Input input;
  ASSERT_FALSE(ParseText(kCanonical, ToyCodec(), input));
  EXPECT_EQ(FormatText(ToyCodec(), input), kCanonical);
}

TEST(Text, IsLenientWithSpaceOrderAndComments) {
  Input input;
  const auto error = ParseText(
      "# a comment\n\n"
      "  jacquard   scenario 1 toy # another; the same as 2\r\n"
      "memory: + 1:0 +65535:63\n"
      "schedule: +3:1\n"
      "thread 2: three c=0 a=1   b = 2 ;lambda;\n"
      "thread 0:none;one a=2\n"
      "schedule: +0:2 + 65535 : 127\n"
      "thread 0: two b=3 a=1",
      ToyCodec(), input);
  ASSERT_FALSE(error) << error->ToString("f");
  EXPECT_EQ(FormatText(ToyCodec(), input), kCanonical);
}

TEST(Text, NothingListedIsTheEmptyInput) {
  Input input;
  Input empty;
  empty.Clear(1);
  ASSERT_FALSE(ParseText("jacquard scenario 2 toy", ToyCodec(), input));
  EXPECT_EQ(input, empty);
}

TEST(Text, RoundTripsRandomInputs) {
  std::mt19937 random(3);
  for (int i = 0; i < 5000; ++i) {
    std::vector<uint8_t> bytes(random() % 300);
    for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random());
    if (!bytes.empty()) bytes[0] = kVersion;
    Input input;
    ToyCodec().Decode(bytes, input);
    const std::string text = FormatText(ToyCodec(), input);
    Input back;
    const auto error = ParseText(text, ToyCodec(), back);
    ASSERT_FALSE(error) << error->ToString("f") << "\n" << text;
    ASSERT_EQ(back, input) << text;
    ASSERT_TRUE(LooksLikeText(text));
    ASSERT_FALSE(LooksLikeText({reinterpret_cast<const char*>(bytes.data()), bytes.size()}));
  }
}

TEST(Text, SaysWhereAndWhatIsWrong) {
  EXPECT_EQ(ErrorOf(""), "f.txt:1:1: error: empty; expected \"jacquard scenario 2 toy\"");
  EXPECT_EQ(ErrorOf("# only\n"), "f.txt:1:1: error: empty; expected \"jacquard scenario 2 toy\"");
  EXPECT_EQ(ErrorOf("\nhello"), "f.txt:2:1: error: expected \"jacquard scenario 2 toy\"");
  EXPECT_EQ(ErrorOf("jacquard scenario 9 toy"),
            "f.txt:1:19: error: version \"9\" is not known; this program reads versions 1 to "
            "2");
  EXPECT_EQ(ErrorOf("jacquard scenario 2 vma_lock"),
            "f.txt:1:21: error: the text is for target \"vma_lock\", this program is \"toy\"");

  const std::string header = "jacquard scenario 2 toy\n";
  EXPECT_EQ(ErrorOf(header + "threads 0: none"),
            "f.txt:2:1: error: expected \"thread N:\", \"schedule:\" or \"memory:\", found "
            "\"threads\"");
  EXPECT_EQ(ErrorOf(header + "thread x: none"),
            "f.txt:2:8: error: expected the thread, a number from 0 to 2, found \"x:\"");
  EXPECT_EQ(ErrorOf(header + "thread 3: none"),
            "f.txt:2:8: error: the thread is 3; allowed are 0 to 2");
  EXPECT_EQ(ErrorOf(header + "thread 0 none"),
            "f.txt:2:10: error: expected \":\" after the thread's number, found \"none\"");
  EXPECT_EQ(ErrorOf(header + "thread 0: none; open"),
            "f.txt:2:17: error: expected an operation, found \"open\"; there are: none, one, two, "
            "three, lambda");
  EXPECT_EQ(ErrorOf(header + "thread 0: none one"),
            "f.txt:2:16: error: none has no argument \"one\"; allowed is: none");
  EXPECT_EQ(ErrorOf(header + "thread 0: two a=1"),
            "f.txt:2:18: error: argument b of two is missing; allowed is: two a=0..1 b=0..3");
  EXPECT_EQ(ErrorOf(header + "thread 0: two a=1 a=0"),
            "f.txt:2:19: error: argument a is given twice");
  EXPECT_EQ(ErrorOf(header + "thread 0: one a=3"),
            "f.txt:2:17: error: argument a is 3; allowed are 0 to 2");
  EXPECT_EQ(ErrorOf(header + "thread 0: one a=99999999999999"),
            "f.txt:2:17: error: argument a is 99999999999999; allowed are 0 to 2");
  EXPECT_EQ(ErrorOf(header + "thread 0: one a=-1"),
            "f.txt:2:17: error: expected argument a, a number from 0 to 2, found \"-1\"");
  EXPECT_EQ(ErrorOf(header + "\n\nschedule: 3:1"),
            "f.txt:4:11: error: expected \"+\" before an exception, as in +3:1, found \"3:1\"");
  EXPECT_EQ(ErrorOf(header + "schedule: +3"),
            "f.txt:2:13: error: expected \":\" after the gap, as in +3:1, found the end of the "
            "line");
  EXPECT_EQ(ErrorOf(header + "schedule: +3:128"),
            "f.txt:2:14: error: the choice is 128; allowed are 0 to 127");
  EXPECT_EQ(ErrorOf(header + "memory: +3:64"),
            "f.txt:2:12: error: the choice is 64; allowed are 0 to 63");
  EXPECT_EQ(ErrorOf(header + "schedule: +65536:0"),
            "f.txt:2:12: error: the gap is 65536; allowed are 0 to 65535");

  std::string many = header + "thread 1:";
  for (int i = 0; i < kMaxOperations + 1; ++i) many += " none;";
  EXPECT_EQ(ErrorOf(many), "f.txt:2:107: error: thread 1 has more than 16 operations");
  many = header + "schedule:";
  for (int i = 0; i < kMaxExceptions + 1; ++i) many += " +0:0";
  EXPECT_EQ(ErrorOf(many), "f.txt:2:1011: error: there are more than 200 exceptions");
}

TEST(Text, SurvivesForeignBytes) {
  EXPECT_EQ(ErrorOf(std::string("\x7f"
                                "ELF\0\x01",
                                6)),
            "f.txt:1:1: error: expected \"jacquard scenario 2 toy\"");
  EXPECT_EQ(ErrorOf(std::string("jacquard scenario 2 toy\n\x01\xff:")),
            "f.txt:2:1: error: expected \"thread N:\", \"schedule:\" or \"memory:\", found "
            "\"\\x01\\xff:\"");
}

TEST(Text, CutsAnOperationToTheBuffer) {
  char buffer[12];
  const ScenarioType& type = ToyCodec().type();
  EXPECT_EQ(FormatCall(type, Call{3, {1, 2, 1}}, buffer), "three a=1 b=");
}

}  // namespace
}  // namespace jacquard::fuzzers
