// Data races: where the verdict must come, with what it must say, and where it must not.
#include <gtest/gtest.h>

#include <atomic>
#include <cstring>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "sim/runtime.h"
#include "tests/sim/searches.h"

namespace jacquard {
namespace {

using enum std::memory_order;

// Runs `write` and `read` on two threads.
template <class Write, class Read>
auto OnTwoThreads(Write write, Read read) {
  return [=] {
    int data = 0;
    std::atomic<int> flag{0};
    std::thread writer([&] { write(data, flag); });
    std::thread reader([&] { read(data, flag); });
    writer.join();
    reader.join();
  };
}

// ---- where there is one

TEST(Race, TwoPlainWrites) {
  const auto write = [](int& data, std::atomic<int>&) {
    TakeStep();
    data = 1;
  };
  ExpectRace(OnTwoThreads(write, write), "plain write and plain write");
}

TEST(Race, PlainReadAndPlainWrite) {
  ExpectRace(OnTwoThreads(
                 [](int& data, std::atomic<int>&) {
                   TakeStep();
                   data = 1;
                 },
                 [](int& data, std::atomic<int>&) {
                   TakeStep();
                   [[maybe_unused]] volatile int copy = data;
                 }),
             "plain read and plain write");
}

// What the function accesses that has the variable, in which the compiler sees all of it.
TEST(Race, OfLocalVariables) {
  struct Shared {
    std::atomic<bool> done = false;
    int first = 0;
    int second = 0;
    bool IsDone() const { return done.load(relaxed); }
    int Second() const { return second; }
  };
  const auto read = [](const auto& get) {
    return [get] {
      Shared shared;
      std::thread writer([&shared] {
        shared.second = 1;
        shared.done.store(true, relaxed);
      });
      while (!shared.IsDone()) std::this_thread::yield();
      [[maybe_unused]] volatile int copy = get(shared);
      writer.join();
    };
  };
  ExpectRace(read([](const Shared& shared) { return shared.second; }),
             "plain read and plain write");
  ExpectRace(read([](const Shared& shared) { return shared.Second(); }),
             "plain read and plain write");
  ExpectNoRace(read([](const Shared& shared) { return shared.first; }));
}

TEST(Race, FlagWithoutRelease) {
  const ExploreResult result = ExpectRace(OnTwoThreads(
                                              [](int& data, std::atomic<int>& flag) {
                                                data = 1;
                                                flag.store(1, relaxed);
                                              },
                                              [](int& data, std::atomic<int>& flag) {
                                                if (flag.load(acquire) != 0) data = 2;
                                              }),
                                          "plain write and plain write");
  EXPECT_NE(result.verdict.message.find("no release/acquire between the two"), std::string::npos)
      << result.verdict.message;
}

TEST(Race, FlagWithoutAcquire) {
  const ExploreResult result = ExpectRace(OnTwoThreads(
                                              [](int& data, std::atomic<int>& flag) {
                                                data = 1;
                                                flag.store(1, release);
                                              },
                                              [](int& data, std::atomic<int>& flag) {
                                                if (flag.load(relaxed) != 0) data = 2;
                                              }),
                                          "plain write and plain write");
  EXPECT_NE(result.verdict.message.find("by an operation that does not acquire"), std::string::npos)
      << result.verdict.message;
}

TEST(Race, VolatileIsNotSynchronisation) {
  ExpectRace(
      [] {
        volatile int flag = 0;
        int data = 0;
        std::thread writer([&] {
          TakeStep();
          data = 1;
          flag = 1;
        });
        TakeStep();
        if (flag != 0) data = 2;
        writer.join();
      },
      "plain read and plain write");
}

TEST(Race, MutexOfAnother) {
  ExpectRace(
      [] {
        std::mutex a, b;
        int data = 0;
        std::thread other([&] {
          const std::lock_guard lock(a);
          ++data;
        });
        {
          const std::lock_guard lock(b);
          ++data;
        }
        other.join();
      },
      "plain ");
}

TEST(Race, AtomicAndPlainAccess) {
  ExpectRace(
      [] {
        alignas(4) int word = 0;
        std::thread other([&] { __atomic_store_n(&word, 1, __ATOMIC_SEQ_CST); });
        TakeStep();
        *const_cast<volatile int*>(&word) = 2;
        other.join();
      },
      "atomic write and plain write");
}

TEST(Race, AtomicBeforeItsConstruction) {
  struct Object {
    std::atomic<int> word{7};
  };
  const ExploreResult result = ExpectRace(
      [] {
        alignas(Object) static char place[sizeof(Object)];
        static std::atomic<Object*> published;
        std::thread maker([&] { published.store(new (place) Object, relaxed); });
        if (Object* const object = published.load(relaxed)) object->word.fetch_add(1);
        maker.join();
      },
      "atomic write and plain write");
  EXPECT_NE(result.verdict.message.find("construction"), std::string::npos);
}

// The last owner must have acquired what the others have released.
TEST(Race, FreeWithoutAcquire) {
  struct Counted {
    std::atomic<int> count{2};
    int data = 0;
  };
  const auto body = [](std::memory_order order) {
    return [order] {
      auto* const counted = new Counted;
      const auto use = [counted, order] {
        [[maybe_unused]] volatile int copy = counted->data;
        if (counted->count.fetch_sub(1, order) == 1) delete counted;
      };
      std::thread other(use);
      use();
      other.join();
    };
  };
  const ExploreResult result = ExpectRace(body(release), "");
  EXPECT_NE(result.verdict.message.find(" frees "), std::string::npos) << result.verdict.message;
  ExpectNoRace(body(acq_rel));
}

// What the C library's functions write into a new block is written by whoever calls them.
TEST(Race, NewBlockThatIsFilledAndPublishedWithoutRelease) {
  using Fill = void* (*)();
  static const char* volatile text = "a text";
  constexpr Fill kFills[] = {
      [] { return std::calloc(4, 4); },
      [] { return std::realloc(std::calloc(1, 8), 16); },
      []() -> void* { return strdup(text); },
      []() -> void* { return strndup(text, 3); },
      []() -> void* {
        char* printed = nullptr;
        Check(asprintf(&printed, "%s", text) > 0, "printed");
        return printed;
      },
  };
  for (const Fill fill : kFills) {
    SCOPED_TRACE(&fill - kFills);
    const auto body = [fill](std::memory_order store, std::memory_order load) {
      return [=] {
        std::atomic<void*> published = nullptr;
        std::thread other([&] { published.store(fill(), store); });
        if (const auto* const block = static_cast<char*>(published.load(load)))
          Check(block[1] != 1, "read");
        other.join();
        std::free(published.load(relaxed));
      };
    };
    ExpectRace(body(relaxed, relaxed), "plain read and plain write");
    ExpectRace(body(release, relaxed), "plain read and plain write");
    ExpectNoRace(body(release, acquire));
  }
}

TEST(Race, OfDifferentSizes) {
  ExpectRace(
      [] {
        alignas(8) char bytes[8] = {};
        std::thread other([&] {
          TakeStep();
          bytes[5] = 1;
        });
        TakeStep();
        std::memset(bytes, 2, sizeof(bytes));
        other.join();
      },
      "plain write and plain write");
}

TEST(Race, ShowsBothPlaces) {
  const ExploreResult result = ExpectRace(
      [] {
        int data = 0;
        std::thread other([&] {
          TakeStep();
          data = 1;
        });
        TakeStep();
        data = 2;
        other.join();
      },
      "plain write and plain write");
  ASSERT_EQ(result.trace.places.size(), 1u);
  EXPECT_EQ(result.trace.places[0].what, "the plain write");
  EXPECT_NE(result.trace.places[0].pc, 0u);
  EXPECT_FALSE(result.trace.places[0].stack.empty());
  EXPECT_NE(result.trace.places[0].thread, result.verdict.thread);
  EXPECT_NE(result.trace.events.back().pc, 0u);
}

// What the same thread has done later to a part of it, which does not race, is not meant.
TEST(Race, ShowsThePlaceOfTheAccessThatRaces) {
  const ExploreResult result = ExpectRace(
      [] {
        alignas(8) volatile unsigned char bytes[8] = {};
        std::atomic<bool> read{false};
        std::thread other([&] {
          (void)*reinterpret_cast<const volatile uint64_t*>(bytes);
          read.store(true, std::memory_order_relaxed);
          (void)bytes[4];
          read.store(true, std::memory_order_relaxed);
        });
        while (!read.load(std::memory_order_relaxed)) {
        }
        bytes[0] = 1;
        other.join();
      },
      "plain read and plain write");
  ASSERT_EQ(result.trace.places.size(), 1u);
  const TracePlace& place = result.trace.places[0];
  uint64_t steps = 0;
  for (const TraceEvent& event : result.trace.events) {
    if (event.type != TraceEvent::Type::kStep) continue;
    if (event.step.thread == place.thread && event.step.kind == StepKind::kStore) break;
    ++steps;
  }
  EXPECT_EQ(place.step, steps) << "before the first of the two stores";
}

TEST(Race, IsNotLookedForUnderSequentialConsistency) {
  const auto write = [](int& data, std::atomic<int>&) {
    TakeStep();
    data = 1;
  };
  RandomWalk walk(1);
  ExploreOptions options;
  options.executions = 100;
  options.execution.memory = MemoryMode::kSc;
  EXPECT_TRUE(Explore(OnTwoThreads(write, write), walk, options).verdict.passed());
  options.execution.memory = MemoryMode::kRc11;
  options.execution.races = false;
  EXPECT_TRUE(Explore(OnTwoThreads(write, write), walk, options).verdict.passed());
}

// ---- where there is none

TEST(NoRace, ReleaseAndAcquire) {
  ExpectNoRace(OnTwoThreads(
      [](int& data, std::atomic<int>& flag) {
        data = 1;
        flag.store(1, release);
      },
      [](int& data, std::atomic<int>& flag) {
        if (flag.load(acquire) != 0) Check(++data == 2, "published");
      }));
}

// clang would read both, and choose.
TEST(NoRace, WithTheOneOfTwoThatIsNotChosen) {
  static int shared = 1, spare = 2;
  ExpectNoRace([] {
    std::atomic<bool> ready{false};
    std::thread writer([&] {
      shared = 3;
      ready.store(true, release);
    });
    const int& value = ready.load(acquire) ? shared : spare;
    Check(value == 2 || value == 3, "one of them");
    writer.join();
  });
}

TEST(NoRace, Fences) {
  ExpectNoRace(OnTwoThreads(
      [](int& data, std::atomic<int>& flag) {
        data = 1;
        std::atomic_thread_fence(release);
        flag.store(1, relaxed);
      },
      [](int& data, std::atomic<int>& flag) {
        if (flag.load(relaxed) == 0) return;
        std::atomic_thread_fence(acquire);
        Check(++data == 2, "published");
      }));
}

TEST(NoRace, ReleaseSequence) {
  ExpectNoRace([] {
    int data = 0;
    std::atomic<int> flag{0};
    std::thread writer([&] {
      data = 1;
      flag.store(1, release);
    });
    std::thread between([&] {
      int one = 1;
      flag.compare_exchange_strong(one, 2, relaxed);
    });
    if (flag.load(acquire) == 2) Check(++data == 2, "published");
    writer.join();
    between.join();
  });
}

TEST(NoRace, MutexTryLockAndOnce) {
  ExpectNoRace([] {
    std::mutex mutex;
    std::once_flag once;
    int data = 0;
    int made = 0;
    const auto work = [&] {
      std::call_once(once, [&] { made = 1; });
      Check(made == 1, "made");
      if (mutex.try_lock()) {
        ++data;
        mutex.unlock();
      }
      const std::lock_guard lock(mutex);
      ++data;
    };
    std::thread other(work);
    work();
    other.join();
    Check(data >= 2, "counted");
  });
}

TEST(NoRace, StartAndJoin) {
  ExpectNoRace([] {
    int data = 1;
    std::thread other([&] {
      Check(data == 1, "known from the start");
      TakeStep();
      data = 2;
    });
    other.join();
    Check(++data == 3, "known from the join");
  });
}

TEST(NoRace, StaticGuard) {
  ExpectNoRace([] {
    struct Made {
      Made() { TakeStep(); }
      int value = 5;
    };
    const auto work = [] {
      static Made made;
      Check(made.value == 5, "made");
    };
    std::thread other(work);
    work();
    other.join();
  });
}

TEST(NoRace, ThreadLocals) {
  ExpectNoRace([] {
    const auto work = [] {
      thread_local std::vector<int> mine;
      mine.push_back(1);
      TakeStep();
      Check(mine.size() == 1, "its own");
    };
    std::thread other(work);
    work();
    other.join();
  });
}

TEST(NoRace, SharedPointer) {
  ExpectNoRace([] {
    auto pointer = std::make_shared<std::string>("shared by both");
    std::thread other([copy = pointer]() mutable {
      Check(copy->size() == 14, "read");
      copy.reset();
    });
    Check(pointer->size() == 14, "read");
    pointer.reset();
    other.join();
  });
}

TEST(NoRace, Waiting) {
  ExpectNoRace([] {
    std::atomic<int> flag{0};
    int data = 0;
    std::thread other([&] {
      data = 1;
      flag.store(1);
      flag.notify_one();
    });
    flag.wait(0, acquire);
    Check(++data == 2, "published");
    other.join();
  });
}

}  // namespace
}  // namespace jacquard
