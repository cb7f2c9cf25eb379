// Symbolize, asked about this very program. Built three times: as a position-independent
// executable and at fixed addresses, with bare line tables, with those that also hold mangled names
// (MANGLED_NAMES), and with full debug information.
#include "sim/symbolize.h"

#include <dlfcn.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <thread>
#include <vector>

namespace jacquard {
namespace {

#ifdef MANGLED_NAMES
constexpr bool kMangledNames = true;
#else
constexpr bool kMangledNames = false;
#endif

// A function that was inlined, by what the debug information can say of it.
std::string Inlined(const std::string& scope, const std::string& name) {
  return kMangledNames ? scope + name : name;
}

// Where the caller goes on: what a hook of the runtime sees as its return address.
[[gnu::noinline]] uintptr_t Here() {
  asm volatile("");
  return reinterpret_cast<uintptr_t>(__builtin_return_address(0));
}

struct Position {
  uintptr_t pc;
  int line;
};

[[gnu::noinline]] Position InPlainFunction() {
  const uintptr_t pc = Here();
  asm volatile("");  // or the call above might become a jump
  return {.pc = pc, .line = __LINE__ - 2};
}

template <class T>
struct Box {
  [[gnu::noinline]] Position InMember(T value) {
    const uintptr_t pc = Here();
    kept = value;
    return {.pc = pc, .line = __LINE__ - 2};
  }
  [[gnu::always_inline]] Position Inner() {
    const uintptr_t pc = Here();
    kept = T();
    return {.pc = pc, .line = __LINE__ - 2};
  }
  [[gnu::always_inline]] Position Middle() { return Inner(); }
  static constexpr int kMiddleLine = __LINE__ - 1;
  volatile T kept;
};

[[gnu::noinline]] Position InOuter() {
  Box<int> box;
  const Position position = box.Middle();
  box.kept = 1;
  return position;
}
constexpr int kOuterLine = __LINE__ - 4;

TEST(Symbolize, FindsFunctionFileAndLine) {
  const Position position = InPlainFunction();
  const std::vector<SourceFrame> frames = Symbolize(position.pc);
  ASSERT_EQ(frames.size(), 1u);
  EXPECT_EQ(frames[0].function, "jacquard::InPlainFunction");
  EXPECT_EQ(frames[0].file, "tests/sim/symbolize_test.cc");
  EXPECT_EQ(frames[0].line, position.line);
  EXPECT_FALSE(frames[0].inlined);
}

TEST(Symbolize, FindsMembersOfTemplates) {
  Box<unsigned> box;
  const Position position = box.InMember(3);
  const std::vector<SourceFrame> frames = Symbolize(position.pc);
  ASSERT_EQ(frames.size(), 1u);
  EXPECT_EQ(frames[0].function, "jacquard::Box<unsigned int>::InMember");
  EXPECT_EQ(frames[0].line, position.line);
}

TEST(Symbolize, FindsInlinedFunctionsInnermostFirst) {
  const Position position = InOuter();
  const std::vector<SourceFrame> frames = Symbolize(position.pc);
  ASSERT_EQ(frames.size(), 3u);
  EXPECT_EQ(frames[0].function, Inlined("jacquard::Box<int>::", "Inner"));
  EXPECT_EQ(frames[0].line, position.line);
  EXPECT_TRUE(frames[0].inlined);
  EXPECT_EQ(frames[1].function, Inlined("jacquard::Box<int>::", "Middle"));
  EXPECT_EQ(frames[1].line, Box<int>::kMiddleLine);
  EXPECT_TRUE(frames[1].inlined);
  EXPECT_EQ(frames[2].function, "jacquard::InOuter");
  EXPECT_EQ(frames[2].line, kOuterLine);
  EXPECT_FALSE(frames[2].inlined);
  for (const SourceFrame& frame : frames) EXPECT_EQ(frame.file, "tests/sim/symbolize_test.cc");
}

TEST(Symbolize, FindsLambdas) {
  int line = 0;
  uintptr_t pc = 0;
  const auto lambda = [&]() __attribute__((noinline)) {
    pc = Here();
    line = __LINE__ - 1;
  };
  lambda();
  const std::vector<SourceFrame> frames = Symbolize(pc);
  ASSERT_EQ(frames.size(), 1u);
  EXPECT_NE(frames[0].function.find("Symbolize_FindsLambdas"), std::string::npos)
      << frames[0].function;
  EXPECT_EQ(frames[0].line, line);
}

TEST(Symbolize, LooksAtTheCallAndNotBehindIt) {
  // One byte before the return address lies inside the call, whose line counts.
  const Position position = InPlainFunction();
  EXPECT_EQ(Symbolize(position.pc)[0].line, position.line);
  EXPECT_EQ(Symbolize(position.pc - 1)[0].line, position.line);
}

TEST(Symbolize, NamesFunctionsOfLibrariesWithoutDebugInformation) {
  void* function = dlsym(RTLD_DEFAULT, "a64l");
  ASSERT_NE(function, nullptr);
  const std::vector<SourceFrame> frames = Symbolize(reinterpret_cast<uintptr_t>(function) + 2);
  ASSERT_EQ(frames.size(), 1u);
  EXPECT_EQ(frames[0].function, "a64l");
  EXPECT_EQ(frames[0].file, "");
  EXPECT_TRUE(IsLibraryFrame(frames[0]));
}

TEST(Symbolize, SaysUnknownAddressesInHexadecimal) {
  for (const uintptr_t address : {uintptr_t{0}, uintptr_t{1}, uintptr_t{0xdead0000beef}}) {
    const std::vector<SourceFrame> frames = Symbolize(address);
    ASSERT_EQ(frames.size(), 1u);
    EXPECT_EQ(frames[0].function, address == 0 ? "0x0" : address == 1 ? "0x1" : "0xdead0000beef");
    EXPECT_EQ(frames[0].line, 0);
  }
  const int on_stack = 0;
  EXPECT_EQ(Symbolize(reinterpret_cast<uintptr_t>(&on_stack)).size(), 1u);
}

int global_table[10];
char large[1 << 20];  // beyond the last page that the file has a part of
static int local_to_the_file = 1;

TEST(VariableName, IsThatOfAGlobal) {
  static int local_to_the_function = 2;
  int on_the_stack = 3;
  EXPECT_EQ(VariableName(&global_table), "jacquard::global_table");
  EXPECT_EQ(VariableName(&global_table[3]), "jacquard::global_table+12");
  EXPECT_EQ(VariableName(&local_to_the_file), "jacquard::local_to_the_file");
  EXPECT_NE(VariableName(&local_to_the_function).find("local_to_the_function"), std::string::npos)
      << VariableName(&local_to_the_function);
  EXPECT_EQ(VariableName(&large[1 << 19]), "jacquard::large+524288");
  EXPECT_EQ(VariableName(&on_the_stack), "");
  EXPECT_EQ(VariableName(std::vector<int>(1).data()), "");
  EXPECT_EQ(VariableName(nullptr), "");
  // Not what is behind it.
  EXPECT_EQ(VariableName(reinterpret_cast<const void*>(&InPlainFunction)), "");
}

TEST(Symbolize, AnswersTheSameAgainAndFromSeveralThreads) {
  const Position position = InOuter();
  const std::string first = Symbolize(position.pc)[0].function;
  std::vector<std::thread> threads;
  std::vector<std::string> answers(4);
  for (std::string& answer : answers)
    threads.emplace_back([&answer, &position] { answer = Symbolize(position.pc)[0].function; });
  for (std::thread& thread : threads) thread.join();
  for (const std::string& answer : answers) EXPECT_EQ(answer, first);
}

}  // namespace
}  // namespace jacquard
