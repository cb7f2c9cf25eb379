// An execution that is given up, at whatever point and for whatever reason, leaves nothing behind.
// Its assertion stands in every compilation mode.
#undef NDEBUG
#include <assert.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <iomanip>
#include <map>
#include <memory>
#include <mutex>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "sim/byte_string.h"
#include "sim/runtime.h"
#include "tests/sim/searches.h"

namespace jacquard {
namespace {

// ---- a program that touches all that could be left in a wrong state

struct Globals {
  int numbers[5] = {1, 2, 3, 4, 5};
  std::mutex mutex;
  std::recursive_mutex recursive;
  std::atomic<int> atomic{6};
  std::once_flag once;
  char bytes[3] = {7, 8, 9};
  std::shared_ptr<int> shared;
  std::string text = "kept in place";
  std::map<int, std::string> map;
} globals;
thread_local int mine = 10;
thread_local std::vector<int> my_vector;

uint64_t Checksum() {
  uint64_t sum = 0;
  const auto* const bytes = reinterpret_cast<const unsigned char*>(&globals);
  for (size_t i = 0; i < sizeof(globals); ++i) sum = sum * 31 + bytes[i];
  return sum;
}

struct Unwound {
  ~Unwound() { globals.atomic.fetch_add(1); }
};

void Work(int number) {
  Check(mine == 10 && my_vector.empty(), "thread-local variables begin anew");
  mine = number;
  my_vector.assign(100, number);
  static std::string once_made = "a static that is too long to be kept in place";
  std::call_once(globals.once, [] {
    globals.atomic.fetch_add(1);
    globals.numbers[0] = -1;
  });
  {
    const std::lock_guard lock(globals.mutex);
    globals.numbers[1] += number;
    globals.bytes[1] = 0;
    globals.text += " and changed";
    globals.map[number] = globals.text;
    once_made += 'x';
    const std::lock_guard outer(globals.recursive);
    const std::lock_guard inner(globals.recursive);
    globals.atomic.fetch_add(1);
  }
  try {
    const Unwound unwound;
    globals.atomic.fetch_add(1);
    throw std::runtime_error("in flight while others run");
  } catch (const std::exception&) {
    globals.atomic.fetch_add(1);
    try {
      throw 1;
    } catch (int) {
      globals.atomic.fetch_add(1);
    }
  }
  // The library's own mutexes guard these.
  std::atomic_store(&globals.shared, std::make_shared<int>(number));
  Check(std::atomic_load(&globals.shared) != nullptr, "is set");
  std::ostringstream stream;
  stream << std::setw(8) << 3.5 << number;
  globals.atomic.fetch_add(static_cast<int>(stream.str().size()));
}

// Runs Work on three threads and gives up after so many steps.
class GivesUp : public Program {
 public:
  int ThreadCount() const override { return 2; }
  void Begin() override {
    Check(globals.numbers[0] == 1 && globals.text == "kept in place" && globals.map.empty(),
          "globals begin anew");
    steps_ = 0;
  }
  void RunThread(int thread) override {
    std::thread another;
    if (thread == 0) another = std::thread(Work, 7);
    Work(thread);
    if (another.joinable()) another.join();
  }
  void OnStep(const Step& /*step*/) override {
    if (++steps_ == give_up_after) Fail("planted", "given up here");
  }
  void End() override { Check(globals.map.size() == 3, "all threads have worked"); }

  int give_up_after = 0;

 private:
  int steps_ = 0;
};

TEST(Abandoning, AtEveryStepLeavesNothingBehind) {
  GivesUp program;
  RandomWalk walk(1);
  auto execute = [&](int give_up_after) {
    program.give_up_after = give_up_after;
    EXPECT_TRUE(walk.BeginExecution());
    return Execute(program, walk, {});
  };
  ASSERT_EQ(execute(0).message, "");
  const uint64_t before = Checksum();
  int given_up = 0;
  for (int step = 1; step < 200; ++step) {
    for (int repeat = 0; repeat < 5; ++repeat) {
      const Verdict verdict = execute(step);
      given_up += !verdict.passed();
      ASSERT_TRUE(verdict.passed() || verdict.signature == "invariant|planted")
          << "step " << step << ": " << verdict.message;
      ASSERT_EQ(Checksum(), before) << "step " << step;
      const Verdict clean = execute(0);
      ASSERT_TRUE(clean.passed()) << "after giving up at step " << step << ": " << clean.message;
      ASSERT_EQ(Checksum(), before) << "step " << step;
    }
  }
  EXPECT_GT(given_up, 300);
}

TEST(Abandoning, OfAnExecutionDoesNotShowInTheNextTrace) {
  GivesUp program;
  ByteString benign;
  auto fingerprint = [&](int give_up_after) {
    program.give_up_after = give_up_after;
    benign.BeginExecution();
    Trace trace;
    Execute(program, benign, {}, &trace);
    return trace.Fingerprint();
  };
  const uint64_t expected = fingerprint(0);
  for (int step = 1; step < 120; ++step) {
    fingerprint(step);
    ASSERT_EQ(fingerprint(0), expected) << "after giving up at step " << step;
  }
}

// ---- memory

// Counted page by page: statm and status tell a number that may be 32 pages behind on each
// processor.
size_t ResidentBytes() {
  std::FILE* const file = std::fopen("/proc/self/smaps_rollup", "r");
  if (file == nullptr) return 0;
  char line[256];
  size_t kilobytes = 0;
  while (std::fgets(line, sizeof(line), file) != nullptr) {
    if (std::sscanf(line, "Rss: %zu kB", &kilobytes) == 1) break;
  }
  std::fclose(file);
  return kilobytes * 1024;
}

struct Case {
  const char* name;
  VerdictKind kind;
  uint64_t executions;
  void (*body)();
};

const Case kCases[] = {
    {"invariant", VerdictKind::kInvariant, 1'000'000,
     [] {
       const std::vector<std::string> texts(3, "a text that is too long to be kept in place");
       globals.atomic.fetch_add(1);
       Fail("a rule with a name that is too long to be kept in place",
            "a message that is too long to be kept in place");
     }},
    {"deadlock", VerdictKind::kDeadlock, 100'000,
     [] {
       std::mutex mutex;
       mutex.lock();
       std::thread other([&] { mutex.lock(); });
       other.join();
     }},
    {"livelock", VerdictKind::kLivelock, 200,
     [] {
       for (;;) globals.atomic.fetch_add(1);
     }},
    {"abort", VerdictKind::kAbort, 100'000,
     [] {
       globals.atomic.fetch_add(1);
       std::abort();
     }},
    {"assert", VerdictKind::kAbort, 100'000,
     [] {
       globals.atomic.fetch_add(1);
       assert(!"an assertion that is too long to be kept in place");
     }},
    {"misuse", VerdictKind::kMisuse, 100'000,
     [] {
       std::mutex mutex;
       mutex.lock();
       std::thread other([&] { mutex.unlock(); });
       other.join();
     }},
    {"exception", VerdictKind::kException, 100'000,
     [] {
       globals.atomic.fetch_add(1);
       throw 1;
     }},
    {"within_catch", VerdictKind::kInvariant, 100'000,
     [] {
       try {
         throw 1;
       } catch (int) {
         globals.atomic.fetch_add(1);
         Fail("planted", "given up");
       }
     }},
    {"while_unwinding", VerdictKind::kInvariant, 100'000,
     [] {
       struct FailsAtTheEnd {
         ~FailsAtTheEnd() {
           globals.atomic.fetch_add(1);
           Fail("planted", "given up");
         }
       };
       try {
         const FailsAtTheEnd fails;
         throw 1;
       } catch (int) {
       }
     }},
    {"thread_destructors", VerdictKind::kInvariant, 100'000,
     [] {
       my_vector.assign(100, 1);
       globals.atomic.fetch_add(1);
       Fail("planted", "given up");
     }},
};

class Memory : public testing::TestWithParam<Case> {};

INSTANTIATE_TEST_SUITE_P(Verdicts, Memory, testing::ValuesIn(kCases),
                         [](const auto& info) { return std::string(info.param.name); });

TEST_P(Memory, DoesNotGrow) {
  auto run = [](uint64_t executions) {
    RandomWalk walk(1);
    ExploreOptions options;
    options.executions = executions;
    options.stop_at_first_bug = false;
    options.trace = false;
    options.execution.max_steps = 200'000;
    const ExploreResult result = Explore(GetParam().body, walk, options);
    EXPECT_EQ(result.failures, executions);
    EXPECT_EQ(result.verdict.kind, GetParam().kind) << result.verdict.message;
  };
  run(GetParam().executions / 10);
  const size_t before = ResidentBytes();
  ASSERT_GT(before, 0u);
  run(GetParam().executions);
  const size_t after = ResidentBytes();
  // One byte lost in each of the 100,000 executions that most cases have would show.
  EXPECT_LT(after, before + 100'000) << "grew by " << after - before << " bytes";
}

}  // namespace
}  // namespace jacquard
