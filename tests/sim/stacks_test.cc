// Accesses to stacks: of frames that are there no more, and of those that are.
#include <gtest/gtest.h>
#include <ucontext.h>

#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <string>
#include <thread>

#include "sim/runtime.h"
#include "tests/sim/accesses.h"
#include "tests/sim/searches.h"

namespace jacquard {
namespace {

constexpr const char* kSignature = "stack error|stack use after return";

TEST(Stack, OfAThreadThatHasEnded) {
  ExpectVerdict(
      [] {
        std::atomic<int*> leaked{nullptr};
        std::thread thread([&] {
          int local = 5;
          leaked.store(Hide(&local));
        });
        thread.join();
        Read(leaked.load());
      },
      kSignature, "reads 4 bytes on the stack of thread 1, which has ended");
}

[[gnu::noinline]] int* Publish(std::atomic<int*>& to) {
  int local[64];
  Write(&local[32], 7);
  to.store(Hide(&local[32]));
  return nullptr;
}

TEST(Stack, OfAFunctionThatHasReturned) {
  const Verdict verdict = Walk(
                              [] {
                                std::atomic<int*> pointer{nullptr};
                                std::atomic<bool> done{false};
                                std::thread thread([&] {
                                  // The frame is deep enough to be below what the thread does
                                  // later.
                                  [&]() __attribute__((noinline)) {
                                    char space[4096];
                                    Hide(&space[0]);
                                    Publish(pointer);
                                  }();
                                  done.wait(false);
                                });
                                int* value = nullptr;
                                while ((value = pointer.load()) == nullptr)
                                  std::this_thread::yield();
                                Read(value);
                                done.store(true);
                                done.notify_all();
                                thread.join();
                              },
                              1000)
                              .verdict;
  EXPECT_EQ(verdict.signature, kSignature) << verdict.message;
  EXPECT_NE(verdict.message.find("of thread 1, in a function that has returned"), std::string::npos)
      << verdict.message;
}

// A small one, where the runtime's frames lie while the thread waits.
TEST(Stack, OfAFunctionThatHasStartedAThread) {
  const auto start = [](std::thread& thread) __attribute__((noinline)) {
    int local = 0;
    int* const pointer = Hide(&local);
    thread = std::thread([pointer] { Write(pointer, 1); });
  };
  const Verdict verdict = Walk(
                              [&] {
                                std::thread thread;
                                start(thread);
                                thread.join();
                              },
                              1000)
                              .verdict;
  EXPECT_EQ(verdict.signature, kSignature) << verdict.message;
  ExpectPass(Walk([] {
    int local = 0;
    std::thread thread([&local] { Write(&local, 1); });
    thread.join();
    Check(local == 1, "written");
  }));
}

// Behind the end of such a stack lies other memory.
TEST(Stack, OfTheProgramsOwnOnTheHeap) {
  static ucontext_t of_thread;
  static ucontext_t of_fiber;
  static int* freed;
  ExpectVerdict(
      [] {
        TakeStep();
        constexpr size_t kSize = 64 << 10;
        char* const stack = Make(kSize);
        char* const between = Make(3 << 20);
        freed = Hide(new int(1));
        delete freed;
        getcontext(&of_fiber);
        of_fiber.uc_stack.ss_sp = stack;
        of_fiber.uc_stack.ss_size = kSize;
        of_fiber.uc_link = &of_thread;
        makecontext(&of_fiber, +[] { Write(freed, 2); }, 0);
        swapcontext(&of_thread, &of_fiber);
        std::free(between);
        std::free(stack);
      },
      "heap error|use after free");
}

TEST(Stack, OfTheRunningThreadItself) {
  ExpectVerdict(
      [] {
        std::atomic<int*> pointer{nullptr};
        Publish(pointer);
        Read(pointer.load());
      },
      kSignature, "on the stack of thread 0, in a function that has returned");
}

TEST(Stack, OfAnotherThreadThatIsStillThere) {
  const ExploreResult result = Walk(
      [] {
        int shared = 0;
        std::atomic<int> turn{0};
        int from_second[100] = {};
        std::thread a([&] {
          Write(&shared, 1);
          turn.store(1);
        });
        std::thread b([&] {
          int local[50] = {};
          std::atomic<bool> done{false};
          std::thread c([&] {
            for (int& i : local) Write(&i, Read(&from_second[3]));
            done.store(true);
          });
          c.join();
          Check(done.load(), "done");
        });
        a.join();
        b.join();
        Check(Read(&shared) == 1, "written");
      },
      300);
  EXPECT_TRUE(result.verdict.passed()) << result.verdict.message;
}

}  // namespace
}  // namespace jacquard
