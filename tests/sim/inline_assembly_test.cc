// Inline assembly in the simulation: instructions do what the processor does.
#include "tools/install/inline_assembly.h"  // before all others, as by the compiler wrappers

#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <cstring>
#include <random>
#include <string>
#include <thread>

#include "sim/runtime.h"
#include "tests/sim/searches.h"

namespace jacquard {
namespace {

// ---- the same as the processor's

struct State {
  alignas(16) uint64_t memory[8];  // the operand is in the middle
  uint64_t rcx;
  uint64_t rax;
  uint64_t flags;
};

constexpr uint64_t kAllFlags = 0x8D5;
constexpr uint64_t kWithoutAuxiliary = kAllFlags & ~uint64_t{0x10};
constexpr uint64_t kCarryAndZero = 0x41;

struct Case {
  const char* text;
  void (*simulated)(State&);
  void (*native)(State&);
  uint64_t flags;  // that are defined
};

// The operand is at (%rdi); rcx, rax, and others that follow from them, are for use.
#define JACQUARD_RUN(TEXT)                                                                         \
  [](State& s) {                                                                                   \
    register int64_t bit __asm__("r10") = static_cast<int64_t>(s.rcx % 200) - 100;                 \
    __asm__ volatile("pushq %[flags]\n\tpopfq\n\t" TEXT "\n\tpushfq\n\tpopq %[flags]"              \
                     : "+c"(s.rcx), "+a"(s.rax), [flags] "+r"(s.flags)                             \
                     : "D"(&s.memory[3]), "d"(s.rcx >> 7), "b"(~s.rax), "S"(uint64_t{2}), "r"(bit) \
                     : "memory", "cc");                                                            \
  }
// The assembler takes instructions in capitals for the processor's own.
#define JACQUARD_CASE(NAME, CAPITALS, OPERANDS, FLAGS)          \
  {NAME " " OPERANDS, JACQUARD_RUN("lock; " NAME " " OPERANDS), \
   JACQUARD_RUN("LOCK; " CAPITALS " " OPERANDS), FLAGS}
// Without a prefix.
#define JACQUARD_BARE(NAME, CAPITALS, OPERANDS) JACQUARD_LOOK(NAME, CAPITALS, OPERANDS, kAllFlags)
#define JACQUARD_LOOK(NAME, CAPITALS, OPERANDS, FLAGS) \
  {NAME " " OPERANDS, JACQUARD_RUN(NAME " " OPERANDS), JACQUARD_RUN(CAPITALS " " OPERANDS), FLAGS}
#define JACQUARD_REGISTERS(NAME, CAPITALS, FLAGS)                               \
  JACQUARD_CASE(NAME "b", CAPITALS "B", "%%cl, (%%rdi)", FLAGS),                \
      JACQUARD_CASE(NAME "b", CAPITALS "B", "%%ch, -3(%%rdi)", FLAGS),          \
      JACQUARD_CASE(NAME "w", CAPITALS "W", "%%cx, 2(%%rdi)", FLAGS),           \
      JACQUARD_CASE(NAME "l", CAPITALS "L", "%%ecx, -4(%%rdi,%%rsi,4)", FLAGS), \
      JACQUARD_CASE(NAME "q", CAPITALS "Q", "%%rcx, -16(%%rdi,%%rsi,8)", FLAGS)
#define JACQUARD_CONSTANTS(NAME, CAPITALS, FLAGS)                           \
  JACQUARD_CASE(NAME "b", CAPITALS "B", "$-5, (%%rdi)", FLAGS),             \
      JACQUARD_CASE(NAME "w", CAPITALS "W", "$300, (%%rdi)", FLAGS),        \
      JACQUARD_CASE(NAME "l", CAPITALS "L", "$0x7fffffff, (%%rdi)", FLAGS), \
      JACQUARD_CASE(NAME "q", CAPITALS "Q", "$-3, (%%rdi)", FLAGS),         \
      JACQUARD_CASE(NAME "q", CAPITALS "Q", "$-300000, 1000-1000(%%rdi)", FLAGS)
#define JACQUARD_ARITHMETIC(NAME, CAPITALS, FLAGS) \
  JACQUARD_REGISTERS(NAME, CAPITALS, FLAGS), JACQUARD_CONSTANTS(NAME, CAPITALS, FLAGS)
#define JACQUARD_UNARY(NAME, CAPITALS)                             \
  JACQUARD_CASE(NAME "b", CAPITALS "B", "(%%rdi)", kAllFlags),     \
      JACQUARD_CASE(NAME "w", CAPITALS "W", "(%%rdi)", kAllFlags), \
      JACQUARD_CASE(NAME "l", CAPITALS "L", "(%%rdi)", kAllFlags), \
      JACQUARD_CASE(NAME "q", CAPITALS "Q", "(%%rdi)", kAllFlags)
// Of a register's, also bits beyond the word.
#define JACQUARD_BITS(NAME, CAPITALS)                                          \
  JACQUARD_CASE(NAME "w", CAPITALS "W", "%%r10w, (%%rdi)", kCarryAndZero),     \
      JACQUARD_CASE(NAME "l", CAPITALS "L", "%%r10d, (%%rdi)", kCarryAndZero), \
      JACQUARD_CASE(NAME "q", CAPITALS "Q", "%%r10, (%%rdi)", kCarryAndZero),  \
      JACQUARD_CASE(NAME "l", CAPITALS "L", "$5, (%%rdi)", kCarryAndZero),     \
      JACQUARD_CASE(NAME "q", CAPITALS "Q", "$63, (%%rdi)", kCarryAndZero)

const Case kCases[] = {
    JACQUARD_ARITHMETIC("add", "ADD", kAllFlags),
    JACQUARD_ARITHMETIC("adc", "ADC", kAllFlags),
    JACQUARD_ARITHMETIC("sub", "SUB", kAllFlags),
    JACQUARD_ARITHMETIC("sbb", "SBB", kAllFlags),
    JACQUARD_ARITHMETIC("or", "OR", kWithoutAuxiliary),
    JACQUARD_ARITHMETIC("and", "AND", kWithoutAuxiliary),
    JACQUARD_ARITHMETIC("xor", "XOR", kWithoutAuxiliary),
    JACQUARD_UNARY("inc", "INC"),
    JACQUARD_UNARY("dec", "DEC"),
    JACQUARD_UNARY("not", "NOT"),
    JACQUARD_UNARY("neg", "NEG"),  // left to the processor
    JACQUARD_REGISTERS("xadd", "XADD", kAllFlags),
    JACQUARD_REGISTERS("xchg", "XCHG", kAllFlags),
    JACQUARD_REGISTERS("cmpxchg", "CMPXCHG", kAllFlags),
    JACQUARD_CASE("cmpxchg8b", "CMPXCHG8B", "8(%%rdi)", kAllFlags),
    JACQUARD_CASE("cmpxchg16b", "CMPXCHG16B", "8(%%rdi)", kAllFlags),
    JACQUARD_BITS("bts", "BTS"),
    JACQUARD_BITS("btr", "BTR"),
    JACQUARD_BITS("btc", "BTC"),
    JACQUARD_BARE("xchgw", "XCHGW", "%%ax, (%%rdi)"),
    JACQUARD_BARE("xchg", "XCHG", "%%rcx, 8(%%rdi)"),
    JACQUARD_BARE("xchgl", "XCHGL", "%%eax, %%ecx"),
    JACQUARD_BARE("movb", "MOVB", "%%ch, 3(%%rdi)"),
    JACQUARD_BARE("movw", "MOVW", "$-3, 2(%%rdi)"),
    JACQUARD_BARE("movl", "MOVL", "$0x12345678, (%%rdi)"),
    JACQUARD_BARE("movq", "MOVQ", "$-3, (%%rdi)"),
    JACQUARD_BARE("mov", "MOV", "%%rcx, (%%rdi)"),
    JACQUARD_BARE("movb", "MOVB", "(%%rdi), %%ah"),
    JACQUARD_BARE("movw", "MOVW", "(%%rdi), %%ax"),
    JACQUARD_BARE("movl", "MOVL", "(%%rdi), %%eax"),
    JACQUARD_BARE("mov", "MOV", "-8(%%rdi,%%rsi,8), %%rax"),
    JACQUARD_BARE("movq", "MOVQ", "%%rcx, %%rax"),
    JACQUARD_LOOK("cmpb", "CMPB", "%%ch, 3(%%rdi)", kAllFlags),
    JACQUARD_LOOK("cmpw", "CMPW", "$-3, 2(%%rdi)", kAllFlags),
    JACQUARD_LOOK("cmpl", "CMPL", "$0x12345678, (%%rdi)", kAllFlags),
    JACQUARD_LOOK("cmpq", "CMPQ", "%%rax, (%%rdi)", kAllFlags),
    JACQUARD_LOOK("cmp", "CMP", "(%%rdi), %%rax", kAllFlags),
    JACQUARD_LOOK("cmpb", "CMPB", "-1(%%rdi), %%ah", kAllFlags),
    JACQUARD_LOOK("cmpl", "CMPL", "%%eax, %%ecx", kAllFlags),
    JACQUARD_LOOK("testb", "TESTB", "$0x81, (%%rdi)", kWithoutAuxiliary),
    JACQUARD_LOOK("testl", "TESTL", "$0x7fff0000, -4(%%rdi,%%rsi,4)", kWithoutAuxiliary),
    JACQUARD_LOOK("testq", "TESTQ", "%%rcx, (%%rdi)", kWithoutAuxiliary),
    JACQUARD_LOOK("test", "TEST", "%%cl, %%al", kWithoutAuxiliary),
    JACQUARD_BARE("movzbl", "MOVZBL", "(%%rdi), %%eax"),
    JACQUARD_BARE("movzbw", "MOVZBW", "1(%%rdi), %%ax"),
    JACQUARD_BARE("movzwq", "MOVZWQ", "2(%%rdi), %%rcx"),
    JACQUARD_BARE("movsbl", "MOVSBL", "(%%rdi), %%eax"),
    JACQUARD_BARE("movsbw", "MOVSBW", "3(%%rdi), %%cx"),
    JACQUARD_BARE("movswq", "MOVSWQ", "4(%%rdi), %%rax"),
    JACQUARD_BARE("movslq", "MOVSLQ", "4(%%rdi), %%rax"),
    JACQUARD_BARE("movzbl", "MOVZBL", "%%cl, %%eax"),
    JACQUARD_BARE("movl", "MOVL", "$7, %%ecx"),
};

// Also of what is compared, so that it is equal sometimes.
State RandomState(std::mt19937_64& random) {
  State state;
  for (uint64_t& word : state.memory) word = random() >> (random() % 64);
  state.rcx = random() >> (random() % 64);
  state.rax = random() % 2 == 0 ? state.memory[3] : random();
  if (random() % 2 == 0) std::memcpy(&state.memory[4], &state.rax, 8);
  state.flags = 2 | (random() & kAllFlags);
  return state;
}

// How many states do not become what they should.
int CountDifferences(const Case& one) {
  std::mt19937_64 random(1);
  int differences = 0;
  for (int i = 0; i < 500; ++i) {
    State simulated = RandomState(random);
    State native = simulated;
    one.simulated(simulated);
    one.native(native);
    simulated.flags &= one.flags;
    native.flags &= one.flags;
    if (std::memcmp(&simulated, &native, sizeof(State)) != 0) ++differences;
  }
  return differences;
}

TEST(InlineAssembly, DoesWhatTheProcessorDoes) {
  for (const Case& one : kCases) EXPECT_EQ(CountDifferences(one), 0) << one.text;
}

TEST(InlineAssembly, DoesWhatTheProcessorDoesInAnExecution) {
  ExploreOptions options;
  options.executions = 2;
  RandomWalk walk(1);
  const ExploreResult result = Explore(
      [] {
        std::thread another([] {
          for (const Case& one : kCases) Check(CountDifferences(one) == 0, one.text);
        });
        another.join();
      },
      walk, options);
  EXPECT_TRUE(result.verdict.passed()) << result.verdict.message;
  EXPECT_GT(result.steps, 2 * 500 * (std::size(kCases) - 10));
}

uint32_t relative __asm__("relative_word") = 5;

TEST(InlineAssembly, OperandsInAllPlaces) {
  uint32_t words[4] = {1, 2, 3, 4};
  uint32_t by = 10;
  __asm__ volatile("lock xaddl %0, relative_word(%%rip)" : "+r"(by) : : "memory", "cc");
  __asm__ volatile("" ::: "memory");
  EXPECT_EQ(by, 5u);
  EXPECT_EQ(relative, 15u);
  register uint32_t* base __asm__("r13") = words;
  register uint64_t index __asm__("r12") = 3;
  register uint32_t value __asm__("r9") = 7;
  __asm__ volatile("xchgl %0, (%1,%2,4)" : "+r"(value) : "r"(base), "r"(index) : "memory");
  EXPECT_EQ(value, 4u);
  EXPECT_EQ(words[3], 7u);
  uint64_t one = 1;
  uint64_t two = 2;
  __asm__ volatile("xchgq %0, %1" : "+r"(one), "+r"(two));
  EXPECT_EQ(one, 2u);
  EXPECT_EQ(two, 1u);
  uint32_t on_stack = 0;
  __asm__ volatile("lock\n\tincl %0" : "+m"(on_stack) : : "cc");
  EXPECT_EQ(on_stack, 1u);
}

// Functions without calls have some of their variables there.
TEST(InlineAssembly, LeavesWhatIsBelowTheStackPointerAlone) {
  const ExploreResult result = Walk([] {
    const auto work = [](uint64_t number) {
      uint64_t near = 0;
      uint64_t far = 0;
      static uint32_t word;
      __asm__ volatile(
          "movq %3, -8(%%rsp)\n\tmovq %3, -128(%%rsp)\n\tlock; incl %2\n\tmfence\n\t"
          "movq -8(%%rsp), %0\n\tmovq -128(%%rsp), %1"
          : "=&r"(near), "=&r"(far), "+m"(word)
          : "r"(number)
          : "memory", "cc");
      Check(near == number && far == number, "is still there");
    };
    std::thread another(work, 1);
    work(2);
    another.join();
  });
  EXPECT_TRUE(result.verdict.passed()) << result.verdict.message;
}

// A function that is written in assembly may count on the place of each of its bytes.
extern "C" int AddOne(int* word);
extern "C" const char end_of_add_one[];
__asm__(
    ".text\n.globl AddOne, end_of_add_one\n"
    "AddOne:\n\tmovl $1, %eax\n\tlock; xaddl %eax, (%rdi)\n\tret\nend_of_add_one:\n");

TEST(InlineAssembly, OutsideOfFunctionsStaysAsItIs) {
  int word = 3;
  EXPECT_EQ(AddOne(&word), 3);
  EXPECT_EQ(word, 4);
  EXPECT_EQ(end_of_add_one - reinterpret_cast<const char*>(&AddOne), 5 + 4 + 1);
}

// What is in registers meanwhile stays there.
TEST(InlineAssembly, LeavesOtherRegistersAlone) {
  const ExploreResult result = Walk([] {
    static std::atomic<int> ready;
    static uint32_t word;
    ready = 0;
    const auto sum = [](double a) {
      const double b = a * 2;
      const double c = a * 3;
      const double d = a * 5;
      ++ready;
      __asm__ volatile("lock; incl %0" : "+m"(word) : : "cc");
      return a + b + c + d;
    };
    std::thread another([&] { Check(sum(0.5) == 5.5, "in another thread"); });
    Check(sum(2) == 22, "in the first thread");
    another.join();
  });
  EXPECT_TRUE(result.verdict.passed()) << result.verdict.message;
}

}  // namespace
}  // namespace jacquard
