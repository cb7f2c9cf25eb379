// What functions of the C library share among all that call them.
#include <gtest/gtest.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <mutex>
#include <string>
#include <thread>

#include "sim/runtime.h"
#include "tests/sim/searches.h"

namespace jacquard {
namespace {

// The results are used, so that the compiler keeps the calls.
void Take(const void* pointer) { asm volatile("" : : "r"(pointer)); }

struct Function {
  const char* name;
  const char* state;
  void (*call)();
};

constexpr time_t kTime = 1'000'000;
constexpr tm kBrokenDown = {};

constexpr Function kUnsafe[] = {
    {"strtok", "the place where strtok goes on",
     [] {
       char text[] = "a b";
       Take(strtok(text, " "));
     }},
    {"gmtime", "what gmtime and localtime point to", [] { Take(gmtime(&kTime)); }},
    {"localtime", "what gmtime and localtime point to", [] { Take(localtime(&kTime)); }},
    {"asctime", "what asctime and ctime point to", [] { Take(asctime(&kBrokenDown)); }},
    {"ctime", "what gmtime and localtime point to", [] { Take(ctime(&kTime)); }},
    {"setenv", "the environment", [] { setenv("JACQUARD_TEST_A", "1", 1); }},
    {"unsetenv", "the environment", [] { unsetenv("JACQUARD_TEST_A"); }},
    {"putenv", "the environment",
     [] {
       static char entry[] = "JACQUARD_TEST_A=2";
       putenv(entry);
     }},
    {"clearenv", "the environment", [] { clearenv(); }},
};

// Two calls at once.
Verdict Twice(void (*first)(), void (*second)()) {
  return Walk([first, second] {
           std::thread other([first] {
             TakeStep();
             first();
           });
           TakeStep();
           second();
           other.join();
         })
      .verdict;
}

TEST(SharedState, TwoCallsAtOnceRace) {
  for (const Function& function : kUnsafe) {
    SCOPED_TRACE(function.name);
    const Verdict verdict = Twice(function.call, function.call);
    EXPECT_EQ(verdict.signature, "race|plain write and plain write");
    EXPECT_NE(verdict.message.find(function.state), std::string::npos) << verdict.message;
    const auto under_lock = [](void (*call)()) {
      static std::mutex mutex;
      static void (*called)();
      called = call;
      return [] {
        const std::lock_guard lock(mutex);
        called();
      };
    };
    EXPECT_EQ(Twice(under_lock(function.call), under_lock(function.call)).message, "");
  }
}

TEST(SharedState, EnvironmentThatIsOnlyReadIsNoRace) {
  const auto read = [] {
    Take(getenv("PATH"));
    Take(secure_getenv("PATH"));
  };
  EXPECT_EQ(Twice(read, read).message, "");
  const auto write = [] { setenv("JACQUARD_TEST_A", "1", 1); };
  EXPECT_EQ(Twice(read, write).signature, "race|plain read and plain write");
  EXPECT_EQ(Twice(write, read).signature, "race|plain read and plain write");
}

// The variants that are safe.
TEST(SharedState, SafeFunctionsAreNoRace) {
  const auto call = [] {
    char text[] = "a b";
    char* place = nullptr;
    Take(strtok_r(text, " ", &place));
    tm result;
    Take(gmtime_r(&kTime, &result));
    Take(localtime_r(&kTime, &result));
    char room[64];
    Take(asctime_r(&result, room));
    Take(strerror(1));
    const int number = rand();
    Take(&number);
  };
  EXPECT_EQ(Twice(call, call).message, "");
}

TEST(Environment, IsInEachExecutionAsBefore) {
  setenv("JACQUARD_TEST_B", "before", 1);
  const std::string path = getenv("PATH");
  using Change = void (*)();
  constexpr Change kChanges[] = {
      [] { setenv("JACQUARD_TEST_A", "set", 1); },
      [] { setenv("JACQUARD_TEST_B", "changed", 1); },
      [] { unsetenv("JACQUARD_TEST_B"); },
      [] { clearenv(); },
      [] {
        char entry[] = "JACQUARD_TEST_A=on the stack";
        putenv(entry);
      },
      [] {
        for (int i = 0; i < 100; ++i) setenv(("JACQUARD_TEST_" + std::to_string(i)).c_str(), "", 1);
        unsetenv("PATH");
        setenv("JACQUARD_TEST_A", "set", 1);
      },
  };
  for (const Change change : kChanges) {
    ExpectPass(Walk(
        [change] {
          TakeStep();
          Check(getenv("JACQUARD_TEST_A") == nullptr, "not there");
          Check(getenv("JACQUARD_TEST_B") != nullptr, "there");
          Check(strcmp(getenv("JACQUARD_TEST_B"), "before") == 0, "as before");
          change();
        },
        20));
    EXPECT_EQ(getenv("JACQUARD_TEST_A"), nullptr);
    EXPECT_STREQ(getenv("JACQUARD_TEST_B"), "before");
    EXPECT_EQ(getenv("PATH"), path);
  }
  // Nor does a change between executions get lost.
  setenv("JACQUARD_TEST_B", "after", 1);
  ExpectPass(Walk(
      [] {
        TakeStep();
        Check(strcmp(getenv("JACQUARD_TEST_B"), "after") == 0, "the harness's change");
        unsetenv("JACQUARD_TEST_B");
      },
      20));
  EXPECT_STREQ(getenv("JACQUARD_TEST_B"), "after");
}

}  // namespace
}  // namespace jacquard
