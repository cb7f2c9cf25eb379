// What the C library's functions on texts and bytes access, which have no hooks.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <string>
#include <thread>

#include "sim/runtime.h"
#include "tests/sim/searches.h"

// As _FORTIFY_SOURCE has them.
extern "C" {
void* __memcpy_chk(void* to, const void* from, size_t size, size_t room);
void* __memmove_chk(void* to, const void* from, size_t size, size_t room);
void* __mempcpy_chk(void* to, const void* from, size_t size, size_t room);
void* __memset_chk(void* to, int byte, size_t size, size_t room);
char* __strcpy_chk(char* to, const char* from, size_t room);
char* __stpcpy_chk(char* to, const char* from, size_t room);
char* __strncpy_chk(char* to, const char* from, size_t size, size_t room);
char* __strcat_chk(char* to, const char* from, size_t room);
char* __strncat_chk(char* to, const char* from, size_t most, size_t room);
}

namespace jacquard {
namespace {

constexpr size_t kRoom = 100;
volatile size_t any_size = 4;  // what the compiler does not know it cannot make accesses of
const char* volatile any_text = "abc";
volatile size_t sink = 0;

void Take(const void* pointer) { sink = sink + (pointer != nullptr); }

struct Function {
  const char* name;
  void (*call)(char* text);
};

constexpr Function kReaders[] = {
    {"strlen", [](char* text) { sink = strlen(text); }},
    {"strnlen", [](char* text) { sink = strnlen(text, any_size); }},
    {"strcmp", [](char* text) { sink = static_cast<size_t>(strcmp(text, any_text)); }},
    {"strcmp of the second",
     [](char* text) { sink = static_cast<size_t>(strcmp(any_text, text)); }},
    {"strncmp", [](char* text) { sink = static_cast<size_t>(strncmp(text, any_text, any_size)); }},
    {"memcmp", [](char* text) { sink = static_cast<size_t>(memcmp(text, any_text, any_size)); }},
    {"memchr", [](char* text) { Take(memchr(text, 'c', any_size)); }},
    {"strchr", [](char* text) { Take(strchr(text, static_cast<int>(any_size))); }},
    {"strrchr", [](char* text) { Take(strrchr(text, static_cast<int>(any_size))); }},
    {"strstr", [](char* text) { Take(strstr(text, any_text)); }},
    {"strstr of the second", [](char* text) { Take(strstr(any_text, text)); }},
    {"std::string", [](char* text) { sink = std::string(text).size(); }},
};

constexpr Function kWriters[] = {
    {"strcpy", [](char* text) { Take(strcpy(text, any_text)); }},
    {"stpcpy", [](char* text) { Take(stpcpy(text, any_text)); }},
    {"strncpy", [](char* text) { Take(strncpy(text, any_text, any_size)); }},
    {"strcat", [](char* text) { Take(strcat(text, any_text)); }},
    {"strncat", [](char* text) { Take(strncat(text, any_text, any_size)); }},
    {"mempcpy", [](char* text) { Take(mempcpy(text, any_text, any_size)); }},
    {"__memcpy_chk", [](char* text) { Take(__memcpy_chk(text, any_text, any_size, kRoom)); }},
    {"__memmove_chk", [](char* text) { Take(__memmove_chk(text, any_text, any_size, kRoom)); }},
    {"__mempcpy_chk", [](char* text) { Take(__mempcpy_chk(text, any_text, any_size, kRoom)); }},
    {"__memset_chk", [](char* text) { Take(__memset_chk(text, 0, any_size, kRoom)); }},
    {"__strcpy_chk", [](char* text) { Take(__strcpy_chk(text, any_text, kRoom)); }},
    {"__stpcpy_chk", [](char* text) { Take(__stpcpy_chk(text, any_text, kRoom)); }},
    {"__strncpy_chk", [](char* text) { Take(__strncpy_chk(text, any_text, any_size, kRoom)); }},
    {"__strcat_chk", [](char* text) { Take(__strcat_chk(text, any_text, kRoom)); }},
    {"__strncat_chk", [](char* text) { Take(__strncat_chk(text, any_text, any_size, kRoom)); }},
};

std::string Message(const std::function<void()>& body) {
  const ExploreResult result = Walk(body, 100);
  return result.verdict.passed() ? "passed" : result.verdict.message;
}

// A text of nothing but its end.
void RunWithWriter(const Function& function, size_t at) {
  static char text[kRoom];
  text[at] = 0;
  std::thread other([at] { text[at] = 'a'; });
  function.call(text);
  other.join();
}

TEST(CStrings, ReadersRaceWithWriters) {
  for (const Function& function : kReaders) {
    EXPECT_THAT(Message([&] { RunWithWriter(function, 0); }),
                testing::HasSubstr("plain read and plain write"))
        << function.name;
  }
}

TEST(CStrings, WritersRaceWithWriters) {
  for (const Function& function : kWriters) {
    EXPECT_THAT(Message([&] { RunWithWriter(function, 0); }), testing::HasSubstr("plain write"))
        << function.name;
  }
}

TEST(CStrings, WhatIsBehindTheAnswerIsNotRead) {
  for (const Function& function : kReaders) {
    EXPECT_EQ(Message([&] { RunWithWriter(function, 50); }), "passed") << function.name;
  }
  for (const Function& function : kWriters) {
    EXPECT_EQ(Message([&] { RunWithWriter(function, 50); }), "passed") << function.name;
  }
}

void UseFreed(const Function& function) {
  TakeStep();
  auto* const text = static_cast<char*>(calloc(1, kRoom));
  char* volatile used = text;
  free(text);
  function.call(used);
}

TEST(CStrings, AreCheckedOnTheHeap) {
  for (const Function& function : kReaders) {
    EXPECT_THAT(Message([&] { UseFreed(function); }), testing::HasSubstr("use after free"))
        << function.name;
  }
  for (const Function& function : kWriters) {
    EXPECT_THAT(Message([&] { UseFreed(function); }), testing::HasSubstr("use after free"))
        << function.name;
  }
  EXPECT_THAT(Message([] {
                TakeStep();
                char* volatile block = static_cast<char*>(malloc(3));
                strcpy(block, any_text);
                free(block);
              }),
              testing::HasSubstr("overflow"));
}

// What they write in globals is not there in the next execution.
TEST(CStrings, AreRolledBack) {
  static char text[kRoom];
  for (const Function& function : kWriters) {
    EXPECT_EQ(Message([&] {
                TakeStep();
                for (const char byte : text) Check(byte == 0, "as it was");
                function.call(text);
                function.call(text + kRoom / 2);
              }),
              "passed")
        << function.name;
  }
}

// What stands behind what is found need not be a text.
TEST(CStrings, ReadNoFurtherThanTheyMust) {
  EXPECT_EQ(Message([] {
              TakeStep();
              char* volatile block = static_cast<char*>(malloc(4));
              for (int i = 0; i < 4; ++i) block[i] = "abcd"[i];
              Check(strchr(block, 'b') == block + 1, "found");
              Check(memchr(block, 'd', 100) == block + 3, "found");
              Check(strncmp(block, "abcd", 4) == 0, "equal");
              Check(strncmp(block, "abX", 100) > 0, "different");
              Check(strnlen(block, 4) == 4, "its length");
              char copy[8] = {};
              strncpy(copy, block, 4);
              strncat(copy, block, 2);
              Check(strcmp(copy, "abcdab") == 0, "copied");
              free(block);
            }),
            "passed");
}

}  // namespace
}  // namespace jacquard
