// Tokens: what goes in comes out, and nothing but a token is taken for one.
#include "jacquard/token.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace jacquard::call {
namespace {

Token RandomToken(std::mt19937_64& random) {
  Token token;
  token.build = static_cast<uint32_t>(random());
  token.body = static_cast<uint32_t>(random());
  token.options.memory = random() % 2 != 0 ? MemoryMode::kSc : MemoryMode::kRc11;
  token.options.races = random() % 2 != 0;
  token.options.wake_order = random() % 2 != 0;
  token.options.annotations = random() % 2 != 0;
  token.options.exit_functions = random() % 2 != 0;
  token.options.constructors = random() % 2 != 0;
  token.options.lock_order = random() % 2 != 0;
  token.options.detached_threads_may_outlive = random() % 2 != 0;
  if (random() % 2 != 0) token.options.spurious_wake_ups = static_cast<uint32_t>(random() % 1000);
  if (random() % 2 != 0) token.options.time_outs = static_cast<uint32_t>(random() % 1000);
  token.options.check_leaks = random() % 2 != 0;
  token.options.allocations_may_fail = random() % 2 != 0;
  token.options.exits = static_cast<ExitMode>(random() % 3);
  if (random() % 2 != 0) token.options.max_steps = random() >> (random() % 64);
  if (random() % 2 != 0) token.options.unfair_steps = random() >> (random() % 64);
  if (random() % 2 != 0) token.options.max_history = static_cast<uint32_t>(random() % 1000);
  if (random() % 2 != 0) token.options.quarantine = random() >> (random() % 64);
  for (std::vector<Exception>* const list : {&token.exceptions, &token.memory_exceptions}) {
    for (uint64_t i = random() % 20; i != 0; --i) {
      list->push_back({static_cast<uint32_t>(random() >> (32 + random() % 32)),
                       static_cast<uint32_t>(random() >> (32 + random() % 32))});
    }
  }
  return token;
}

TEST(Token, GoesRound) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 2000; ++i) {
    const Token token = RandomToken(random);
    const std::string text = FormatToken(token);
    Token parsed;
    ASSERT_EQ(ParseToken(text, parsed), "") << text;
    EXPECT_EQ(parsed.build, token.build);
    EXPECT_EQ(parsed.body, token.body);
    EXPECT_EQ(parsed.exceptions, token.exceptions);
    EXPECT_EQ(parsed.memory_exceptions, token.memory_exceptions);
    EXPECT_EQ(parsed.options.memory, token.options.memory);
    EXPECT_EQ(parsed.options.races, token.options.races);
    EXPECT_EQ(parsed.options.wake_order, token.options.wake_order);
    EXPECT_EQ(parsed.options.annotations, token.options.annotations);
    EXPECT_EQ(parsed.options.exit_functions, token.options.exit_functions);
    EXPECT_EQ(parsed.options.constructors, token.options.constructors);
    EXPECT_EQ(parsed.options.lock_order, token.options.lock_order);
    EXPECT_EQ(parsed.options.detached_threads_may_outlive,
              token.options.detached_threads_may_outlive);
    EXPECT_EQ(parsed.options.spurious_wake_ups, token.options.spurious_wake_ups);
    EXPECT_EQ(parsed.options.time_outs, token.options.time_outs);
    EXPECT_EQ(parsed.options.check_leaks, token.options.check_leaks);
    EXPECT_EQ(parsed.options.allocations_may_fail, token.options.allocations_may_fail);
    EXPECT_EQ(parsed.options.exits, token.options.exits);
    EXPECT_EQ(parsed.options.max_steps, token.options.max_steps);
    EXPECT_EQ(parsed.options.unfair_steps, token.options.unfair_steps);
    EXPECT_EQ(parsed.options.max_history, token.options.max_history);
    EXPECT_EQ(parsed.options.quarantine, token.options.quarantine);
    EXPECT_EQ(FormatToken(parsed), text);
  }
}

TEST(Token, IsShort) {
  Token token;
  token.exceptions = {{5, 0}, {17, 1}};
  EXPECT_LE(FormatToken(token).size(), 32u);
}

TEST(Token, IsRefusedWithAnyCharacterChanged) {
  std::mt19937_64 random(2);
  for (int i = 0; i < 50; ++i) {
    const std::string text = FormatToken(RandomToken(random));
    for (size_t at = 0; at < text.size(); ++at) {
      for (const char other : {'A', 'z', '_', '+', ' ', '\xC3'}) {
        if (text[at] == other) continue;
        std::string changed = text;
        changed[at] = other;
        Token token;
        EXPECT_NE(ParseToken(changed, token), "") << text << " as " << changed;
      }
    }
  }
}

TEST(Token, IsRefusedCutOffOrWithSomethingBehind) {
  std::mt19937_64 random(3);
  for (int i = 0; i < 50; ++i) {
    const std::string text = FormatToken(RandomToken(random));
    Token token;
    for (size_t size = 0; size < text.size(); ++size)
      EXPECT_NE(ParseToken(text.substr(0, size), token), "") << text.substr(0, size);
    for (const char* const behind : {"A", "AA", "AAA", "AAAA", "\n", " "})
      EXPECT_NE(ParseToken(text + behind, token), "") << text << behind;
  }
}

}  // namespace
}  // namespace jacquard::call
