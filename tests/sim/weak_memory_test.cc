// The runtime on weak memory: what is left to chance is recorded, replayed and told; a thread does
// not read an old value for ever; the library's ways to wait work.
//
// Which outcomes are possible is what tests/litmus is about.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <future>
#include <latch>
#include <semaphore>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "sim/byte_string.h"
#include "sim/report.h"
#include "sim/runtime.h"
#include "tests/sim/searches.h"

namespace jacquard {
namespace {

using enum std::memory_order;

// Message passing without any order: the reader may see the flag and an old value.
void PassMessage() {
  std::atomic<int> data{0};
  std::atomic<int> flag{0};
  std::thread writer([&] {
    data.store(1, relaxed);
    flag.store(1, relaxed);
  });
  const bool seen = flag.load(relaxed) != 0;
  const int value = data.load(relaxed);
  writer.join();
  Check(!seen || value == 1, "the message has arrived (planted)");
}

TEST(WeakMemory, ShowsWhatSequentialConsistencyDoesNot) {
  const ExploreResult weak = SearchAll(PassMessage);
  EXPECT_EQ(weak.verdict.kind, VerdictKind::kInvariant) << weak.verdict.message;
  DepthFirst search;
  ExploreOptions options;
  options.execution.memory = MemoryMode::kSc;
  const ExploreResult strong = Explore(PassMessage, search, options);
  EXPECT_TRUE(strong.verdict.passed()) << strong.verdict.message;
  EXPECT_TRUE(strong.exhausted);
}

TEST(WeakMemory, WithoutExceptionsIsStrong) {
  // All schedules, but none of the memory model's choices.
  DepthFirst search(DepthFirst::kUnbounded, /*memory_bound=*/0);
  const ExploreResult result = Explore(PassMessage, search);
  ExpectPass(result);
  EXPECT_TRUE(result.exhausted);
}

// The one thing that C++ permits and this model does not.
TEST(WeakMemory, LoadBufferingIsNotThere) {
  const ExploreResult result = SearchAll([] {
    std::atomic<int> x{0};
    std::atomic<int> y{0};
    int seen = 0;
    std::thread other([&] {
      seen = x.load(relaxed);
      y.store(1, relaxed);
    });
    const int mine = y.load(relaxed);
    x.store(1, relaxed);
    other.join();
    Check(mine == 0 || seen == 0, "one of them is first");
  });
  ExpectPass(result);
  EXPECT_TRUE(result.exhausted);
}

TEST(WeakMemory, TellsWhatWasOld) {
  const ExploreResult result = Walk(PassMessage);
  ASSERT_EQ(result.verdict.kind, VerdictKind::kInvariant);
  int old_values = 0;
  for (const TraceEvent& event : result.trace.events) {
    if (event.type != TraceEvent::Type::kStep || event.step.newest) continue;
    ++old_values;
    EXPECT_EQ(event.step.kind, StepKind::kLoad);
    EXPECT_EQ(event.step.new_value, 0u);
  }
  EXPECT_EQ(old_values, 1);
  const std::string report = FormatReport(result.verdict, result.trace);
  EXPECT_NE(report.find("reads an older value of"), std::string::npos) << report;
}

TEST(WeakMemory, ReadsFromNamesTheStore) {
  const ExploreResult result = Walk([] {
    static std::atomic<int> word;
    word.store(1, relaxed);
    word.store(2, relaxed);
    Check(word.load(relaxed) != 2, "planted");
  });
  ASSERT_EQ(result.verdict.kind, VerdictKind::kInvariant);
  const TraceEvent* load = nullptr;
  for (const TraceEvent& event : result.trace.events) {
    if (event.step.kind == StepKind::kLoad) load = &event;
  }
  ASSERT_NE(load, nullptr);
  ASSERT_GE(load->reads_from, 0);
  const TraceEvent& store = result.trace.events[static_cast<size_t>(load->reads_from)];
  EXPECT_EQ(store.step.kind, StepKind::kStore);
  EXPECT_EQ(store.step.new_value, 2u);
}

TEST(BothMemories, TraceManyObjects) {
  for (const MemoryMode memory : {MemoryMode::kSc, MemoryMode::kRc11}) {
    ExecutionOptions options = TestOptions();
    options.memory = memory;
    Trace trace;
    const Verdict verdict = RunBenign(
        [] {
          std::vector<std::atomic<int>> words(20'000);
          for (auto& word : words) word.store(1, relaxed);
          for (auto& word : words) Check(word.load(relaxed) == 1, "stored");
        },
        &trace, options);
    EXPECT_TRUE(verdict.passed()) << verdict.message;
    int read = 0;
    for (const TraceEvent& event : trace.events) {
      if (event.step.kind != StepKind::kLoad) continue;
      ++read;
      ASSERT_GE(event.reads_from, 0);
      const Step& store = trace.events[static_cast<size_t>(event.reads_from)].step;
      ASSERT_EQ(store.kind, StepKind::kStore);
      ASSERT_EQ(store.address, event.step.address);
    }
    EXPECT_EQ(read, 20'000);
  }
}

// Both lists of exceptions together repeat an execution; each counts its own picks only.
TEST(WeakMemory, ChoicesReplay) {
  class Body : public Program {
   public:
    int ThreadCount() const override { return 3; }
    void Begin() override {
      x.store(0, relaxed);
      y.store(0, relaxed);
    }
    void RunThread(int thread) override {
      for (int i = 1; i <= 3; ++i) {
        x.store(10 * thread + i, relaxed);
        (void)y.load(relaxed);
        y.fetch_add(1, release);
        (void)x.load(acquire);
      }
    }
    std::atomic<int> x{0};
    std::atomic<int> y{0};
  } program;
  RandomWalk walk(3);
  ChoiceRecorder recorder(walk);
  std::set<uint64_t> fingerprints;
  size_t of_memory = 0;
  for (int i = 0; i < 300; ++i) {
    Trace first, second;
    recorder.BeginExecution();
    ASSERT_TRUE(Execute(program, recorder, {}, &first).passed());
    ByteString replay;
    replay.Set(recorder.exceptions(), recorder.memory_exceptions());
    replay.BeginExecution();
    ASSERT_TRUE(Execute(program, replay, {}, &second).passed());
    ASSERT_EQ(first.Fingerprint(), second.Fingerprint()) << i;
    fingerprints.insert(first.Fingerprint());
    of_memory += recorder.memory_exceptions().size();
  }
  EXPECT_GT(fingerprints.size(), 290u);
  EXPECT_GT(of_memory, 300u);
}

// ---- progress

TEST(Progress, AnOldValueIsNotReadForEver) {
  // The strategy always asks for the oldest value that there is.
  class Oldest : public Strategy {
   public:
    bool BeginExecution() override { return true; }
    int Choose(const Pick& pick) override {
      return IsOfMemory(pick.kind) ? pick.alternatives - 1 : 0;
    }
  } strategy;
  ExploreOptions options;
  options.executions = 1;
  const ExploreResult result = Explore(
      [] {
        std::atomic<int> ready{0};
        std::thread spinner([&] {
          // Not the same state twice: only the bound on reading an old value again ends it.
          volatile unsigned rounds = 0;
          while (ready.load(relaxed) == 0) rounds = rounds + 1;
        });
        ready.store(1, relaxed);
        spinner.join();
      },
      strategy, options);
  ExpectPass(result);
  EXPECT_LT(result.steps, 100u);
}

TEST(Progress, SpinnersOnOldValuesAreNotDeadlocked) {
  const ExploreResult result = SearchAll(
      [] {
        std::atomic<int> a{0};
        std::atomic<int> b{0};
        std::thread other([&] {
          a.store(1, relaxed);
          while (b.load(relaxed) == 0) {
          }
        });
        b.store(1, relaxed);
        while (a.load(relaxed) == 0) {
        }
        other.join();
      },
      3);
  ExpectPass(result);
  EXPECT_TRUE(result.exhausted);
  EXPECT_LT(result.executions, 5'000u);
}

TEST(Progress, LongHistoriesAreCutAndSaySo) {
  RandomWalk walk(1);
  ExploreOptions options;
  options.executions = 20;
  options.execution.max_history = 4;
  const auto body = [](int stores) {
    return [stores] {
      std::atomic<int> word{0};
      std::thread other([&, stores] {
        for (int i = 1; i <= stores; ++i) word.store(i, relaxed);
      });
      for (int i = 0; i < stores; ++i) (void)word.load(relaxed);
      other.join();
    };
  };
  EXPECT_GT(Explore(body(40), walk, options).cut_histories, 0u);
  EXPECT_EQ(Explore(body(2), walk, options).cut_histories, 0u);
}

// Clocks of 16 bits do not suffice here, and eight threads are not enough.
TEST(Progress, LongExecutionsWithManyThreads) {
  RandomWalk walk(1);
  ExploreOptions options;
  options.executions = 1;
  const ExploreResult result = Explore(
      [] {
        std::atomic<int> count{0};
        std::vector<std::thread> threads;
        for (int t = 0; t < 10; ++t) {
          threads.emplace_back([&] {
            for (int i = 0; i < 8'000; ++i) count.fetch_add(1, release);
          });
        }
        for (std::thread& thread : threads) thread.join();
        Check(count.load(acquire) == 80'000, "counted");
      },
      walk, options);
  ExpectPass(result);
}

// ---- the library

TEST(Library, WaysToWaitWork) {
  const ExploreResult result = Walk(
      [] {
        std::atomic<int> word{0};
        std::latch latch(2);
        std::promise<int> promise;
        std::future<int> future = promise.get_future();
        std::counting_semaphore<4> semaphore(0);
        int data = 0;
        std::thread other([&] {
          data = 1;
          promise.set_value(5);
          latch.count_down();
          semaphore.release();
          word.store(1, release);
          word.notify_all();
        });
        Check(future.get() == 5 && data == 1, "through the future");
        latch.arrive_and_wait();
        semaphore.acquire();
        word.wait(0, acquire);
        other.join();
      },
      3000);
  ExpectPass(result);
}

// A frame that comes and goes in the loop, with a buffer that nobody writes: what lies there is
// what the runtime has left, which is not the same in a repetition.
struct Progress {
  std::atomic<long> data[2] = {};
  std::atomic<long> flag = 0;
  std::atomic<long> other = 0;
};

[[gnu::noinline]] void UseBuffer(char* buffer) { asm volatile("" : : "r"(buffer) : "memory"); }

[[gnu::noinline]] bool HasCome(const Progress& progress) {
  char buffer[400];
  const long flag = progress.flag.load(std::memory_order_acquire);
  if (flag == 7) UseBuffer(buffer);
  return flag == 1 && progress.other.load(std::memory_order_relaxed) != 5;
}

TEST(Progress, IsTheSameInARepetition) {
  for (uint64_t seed = 1; seed <= 40; ++seed) {
    RandomWalk walk(seed);
    ExploreOptions options;
    options.executions = 10'000;
    const ExploreResult result = Explore(
        [] {
          Progress progress;
          std::thread writer([&] {
            for (int i = 0; i < 6; ++i) progress.other.fetch_add(1, std::memory_order_relaxed);
            progress.flag.store(1, std::memory_order_release);
            for (auto& word : progress.data) word.store(1, std::memory_order_relaxed);
          });
          while (!HasCome(progress)) std::this_thread::yield();
          const long first = progress.data[0].load(std::memory_order_relaxed);
          const long second = progress.data[1].load(std::memory_order_relaxed);
          Check(first == second, "both or none");
          writer.join();
        },
        walk, options);
    EXPECT_FALSE(result.not_deterministic) << seed << ": " << result.verdict.message;
    EXPECT_EQ(result.verdict.signature, "invariant|both or none") << seed;
  }
}

// A loop that counts its turns in a register, which the function that it calls saves on the stack.
[[gnu::noinline]] bool AreEqual(const std::atomic<int>& a, const std::atomic<int>& b) {
  const int first = a.load();
  const int second = b.load();
  return first == second;
}

TEST(Progress, OfALoopThatGivesUp) {
  int waiting = 0;  // so often the other one has been seen to give up first
  ExpectPass(SearchAll(
      [&waiting] {
        std::atomic<int> a = 0;
        std::atomic<int> b = 1;
        std::atomic<bool> has_given_up = false;
        std::thread waits([&] {
          for (int turn = 0; turn < 12; ++turn) {
            if (AreEqual(a, b)) return;
            std::this_thread::yield();
          }
          has_given_up = true;
        });
        if (has_given_up.load()) ++waiting;
        b = 0;
        waits.join();
      },
      DepthFirst::kUnbounded, {.memory = MemoryMode::kSc}));
  EXPECT_GT(waiting, 0);
}

// Each pick of its own would have to be one of four, eight times in a row.
TEST(WeakMemory, AFlagOvertakesManyStores) {
  constexpr int kWords = 8;
  const ExploreResult result = Walk(
      [] {
        std::atomic<int> version = 0;
        std::atomic<int> words[kWords] = {};
        std::thread writer([&] {
          for (auto& word : words) word.store(1, relaxed);
          version.store(1, relaxed);
        });
        if (version.load(acquire) == 1) {
          int seen = 0;
          for (auto& word : words) seen += word.load(relaxed);
          Check(seen != 0, "not all of them are old");
        }
        writer.join();
      },
      20'000);
  EXPECT_EQ(result.verdict.signature, "invariant|not all of them are old");
}

// ---- objects that share bytes

union Word {
  uint64_t whole = 0;
  uint32_t half[2];
};

// Store buffering with one of the two words accessed in two sizes, both read as 0. With `fence`,
// the first thread has that instead of seq_cst accesses.
void BufferStores(bool fence, int flag_store, int flag_load, int word_load) {
  Word word;
  uint32_t flag = 0;
  uint32_t seen_flag = 1;
  uint64_t seen_word = 1;
  std::thread first([&] {
    __atomic_store_n(&word.half[0], 1, fence ? __ATOMIC_RELAXED : __ATOMIC_SEQ_CST);
    if (fence) __atomic_thread_fence(__ATOMIC_SEQ_CST);
    seen_flag = __atomic_load_n(&flag, flag_load);
  });
  std::thread second([&] {
    __atomic_store_n(&flag, 1, flag_store);
    seen_word = __atomic_load_n(&word.whole, word_load);
  });
  first.join();
  second.join();
  Check(seen_flag != 0 || seen_word != 0, "one of the stores is seen");
}

void ExpectInOrder(bool fence, int flag_load) {
  const ExploreResult all =
      SearchAll([=] { BufferStores(fence, __ATOMIC_SEQ_CST, flag_load, __ATOMIC_SEQ_CST); });
  ExpectPass(all);
  EXPECT_TRUE(all.exhausted);
}

// Nothing is ordered by a seq_cst access beside a relaxed one.
void ExpectNoOrder(bool fence, int flag_store, int flag_load, int word_load) {
  ExpectVerdict([=] { BufferStores(fence, flag_store, flag_load, word_load); },
                "invariant|one of the stores is seen");
}

TEST(SharedBytes, AccessesInTwoSizesAreInTheOrderOfSeqCst) {
  ExpectInOrder(false, __ATOMIC_SEQ_CST);
  ExpectNoOrder(false, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED, __ATOMIC_SEQ_CST);
}

TEST(SharedBytes, FencesAndAccessesAreInOneOrder) {
  ExpectInOrder(true, __ATOMIC_RELAXED);
  ExpectNoOrder(true, __ATOMIC_RELAXED, __ATOMIC_RELAXED, __ATOMIC_SEQ_CST);
  ExpectNoOrder(true, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
}

// With fences alone, in an object that has been accessed in one size before.
TEST(SharedBytes, FencesAreInTheOrderOfSeqCst) {
  const auto body = [](bool fences) {
    Word word;
    uint32_t flag = 0;
    bool locked_after = false;
    const auto fence = [fences] {
      if (fences) __atomic_thread_fence(__ATOMIC_SEQ_CST);
    };
    __atomic_fetch_or(&word.whole, 1, __ATOMIC_RELAXED);
    std::thread sleeper([&] {
      __atomic_store_n(&flag, 1, __ATOMIC_RELAXED);
      fence();
      locked_after = (__atomic_load_n(&word.half[0], __ATOMIC_RELAXED) & 1) != 0;
    });
    __atomic_fetch_and(&word.whole, ~uint64_t{1}, __ATOMIC_RELAXED);
    fence();
    const bool wakes = __atomic_load_n(&flag, __ATOMIC_RELAXED) != 0;
    sleeper.join();
    Check(wakes || !locked_after, "nobody sleeps for ever");
  };
  const ExploreResult all = SearchAll([&] { body(true); });
  ExpectPass(all);
  EXPECT_TRUE(all.exhausted);
  ExpectVerdict([&] { body(false); }, "invariant|nobody sleeps for ever");
}

TEST(SharedBytes, OrderNothingElse) {
  const ExploreResult result = Walk([] {
    Word word;
    int data = 0;
    std::thread writer([&] {
      data = 1;
      __atomic_store_n(&word.half[0], 1, __ATOMIC_RELAXED);
    });
    if (__atomic_load_n(&word.whole, __ATOMIC_SEQ_CST) != 0)
      (void)*const_cast<volatile int*>(&data);
    writer.join();
  });
  EXPECT_EQ(result.verdict.kind, VerdictKind::kRace) << result.verdict.message;
}

}  // namespace
}  // namespace jacquard
