// Threads in the simulation: creation, joining, detaching, limits, exceptions, the state of the
// processor.
#include <errno.h>
#include <gtest/gtest.h>
#include <pthread.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cfenv>
#include <cmath>
#include <exception>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "sim/runtime.h"
#include "tests/sim/searches.h"

namespace jacquard {
namespace {

void* Return(void* argument) { return argument; }

TEST(Threads, ResultComesBackFromJoin) {
  ExpectPass(Walk([] {
    pthread_t thread;
    int object = 0;
    Check(pthread_create(&thread, nullptr, Return, &object) == 0, "created");
    void* result = nullptr;
    Check(pthread_join(thread, &result) == 0, "joined");
    Check(result == &object, "the result is what the thread returned");
  }));
}

// Guards against deep recursion and conservative collectors ask for it.
TEST(Threads, TheirStackIsWhereTheyAreToldItIs) {
  const ExploreResult result = Walk([] {
    const auto check = [] {
      pthread_attr_t attributes;
      void* begin = nullptr;
      size_t size = 0;
      if (pthread_getattr_np(pthread_self(), &attributes) != 0) std::abort();
      if (pthread_attr_getstack(&attributes, &begin, &size) != 0) std::abort();
      pthread_attr_destroy(&attributes);
      const auto place = reinterpret_cast<uintptr_t>(&size);
      if (place - reinterpret_cast<uintptr_t>(begin) >= size) std::abort();
    };
    std::thread other(check);
    check();
    other.join();
  });
  ExpectPass(result);
}

TEST(Threads, NestedCreation) {
  ExpectPass(Walk([] {
    std::atomic<int> count{0};
    std::thread outer([&] {
      std::vector<std::thread> inner;
      for (int i = 0; i < 4; ++i) {
        inner.emplace_back([&] { std::thread([&] { count.fetch_add(1); }).join(); });
      }
      for (std::thread& thread : inner) thread.join();
    });
    outer.join();
    Check(count == 4, "all have run");
  }));
}

TEST(Threads, AsManyAsThereAreAndNoMore) {
  const auto start = [](int number) {
    std::atomic<int> count{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < number; ++i) threads.emplace_back([&] { count.fetch_add(1); });
    for (std::thread& thread : threads) thread.join();
    Check(count == number, "all have run");
  };
  ExpectPass(Walk([&] { start(kMaxThreads - 1); }, 3));
  // A real system has more: it is not the program's fault.
  ExpectVerdict([&] { start(kMaxThreads); }, "unsupported|too many threads");
}

// Each of them is looked at closely, though their stacks take gigabytes of addresses.
TEST(Threads, TheLastSpinsLikeTheFirst) {
  ExpectVerdict(
      [] {
        std::vector<std::thread> others;
        for (int i = 2; i < kMaxThreads; ++i) others.emplace_back([] {});
        std::atomic<bool> never{false};
        std::thread([&] {
          while (!never.load()) {
          }
        }).join();
      },
      "deadlock|no thread can run", "spins on");
}

// More than there can be at once.
constexpr int kManyThreads = kMaxThreads + 50;

TEST(Threads, OneAfterAnotherWithoutAnEnd) {
  ExpectPass(Walk(
      [] {
        thread_local int mine = 5;
        std::atomic<int> count{0};
        int plain = 0;
        for (int i = 0; i < kManyThreads; ++i) {
          std::thread([&] {
            Check(mine == 5, "thread-local variables are new");
            mine = i;
            ++plain;
            count.fetch_add(1, std::memory_order_relaxed);
          }).join();
        }
        Check(count == kManyThreads && plain == kManyThreads, "all have run");
      },
      2));
}

TEST(Threads, DetachedOneAfterAnotherWithoutAnEnd) {
  ExpectPass(Walk(
      [] {
        std::atomic<int> count{0};
        for (int i = 0; i < kManyThreads; ++i) {
          std::thread([&] { count.fetch_add(1, std::memory_order_relaxed); }).detach();
          while (count.load(std::memory_order_relaxed) <= i) std::this_thread::yield();
          std::this_thread::yield();  // it ends
        }
      },
      2));
}

TEST(Threads, InThePlaceOfOthersRaceWithTheLiving) {
  const ExploreResult result = Walk(
      [] {
        for (int i = 1; i < kManyThreads; ++i) std::thread([] {}).join();
        int plain = 0;
        std::thread a([&] { ++plain; });
        std::thread b([&] { ++plain; });
        a.join();
        b.join();
      },
      3);
  EXPECT_EQ(result.verdict.kind, VerdictKind::kRace) << result.verdict.message;
}

TEST(Threads, InThePlaceOfThoseWhoAreKnownTheyAreFew) {
  ExpectPass(Walk(
      [] {
        std::set<pthread_t> selves;
        for (int i = 0; i < 40; ++i) {
          pthread_t self = 0;
          std::thread([&] { self = pthread_self(); }).join();
          selves.insert(self);
        }
        Check(selves.size() < 8, "numbers are used again");
      },
      5));
}

// Else what the old one has done would seem to happen before what the new one does.
TEST(Threads, InThePlaceOfNobodyWhomTheirCreatorDoesNotKnow) {
  const ExploreResult result = Walk([] {
    int plain = 0;
    std::atomic<bool> done{false};
    std::thread other([&] {
      std::thread([&] { plain = 1; }).join();
      done.store(true, std::memory_order_relaxed);
    });
    std::vector<std::thread> more;
    for (int i = 0; i < 8; ++i) more.emplace_back([] {});
    while (!done.load(std::memory_order_relaxed)) std::this_thread::yield();
    std::thread([&] { plain = 2; }).join();
    other.join();
    for (std::thread& thread : more) thread.join();
  });
  EXPECT_EQ(result.verdict.kind, VerdictKind::kRace) << result.verdict.message;
}

// Nor of one that has left a lock behind: nobody would seem to hold it.
TEST(Threads, InThePlaceOfNobodyWhoHoldsALock) {
  ExpectVerdict(
      [] {
        static std::mutex mutex;
        std::thread([] { mutex.lock(); }).join();
        std::vector<std::thread> others;
        for (int i = 0; i < 8; ++i) others.emplace_back([] {});
        std::thread([] { mutex.lock(); }).join();
      },
      "deadlock|no thread can run", "held by thread 1 since step");
}

TEST(Threads, IdentitiesDiffer) {
  ExpectPass(Walk([] {
    std::atomic<pthread_t> selves[3];
    std::atomic<pid_t> tids[3];
    auto note = [&](int i) {
      selves[i].store(pthread_self());
      tids[i].store(gettid());
    };
    std::thread a(note, 0), b(note, 1);
    note(2);
    const std::thread::id id = a.get_id();
    Check(id != b.get_id() && id != std::this_thread::get_id(), "std::thread::id");
    a.join();
    b.join();
    Check(selves[0] != selves[1] && selves[1] != selves[2] && selves[2] != selves[0], "pthread_t");
    Check(tids[0] != tids[1] && tids[1] != tids[2] && tids[2] != tids[0], "gettid()");
  }));
}

// What the kernel says would differ from run to run; a program must be right wherever it runs.
TEST(Threads, RunOnOneProcessorOrAnother) {
  static const auto ask = [] {
    unsigned processor = 1000, node = 1000;
    Check(getcpu(&processor, &node) == 0 && getcpu(nullptr, nullptr) == 0, "getcpu");
    Check(node == 0 && processor < sysconf(_SC_NPROCESSORS_ONLN), "one that is there");
    Check(syscall(SYS_getcpu, &processor, nullptr, nullptr) == 0, "by system call");
    return sched_getcpu();
  };
  std::vector<int> moved(2);  // on the heap, where the roll-back leaves it
  const auto body = [&moved] {
    const int before = ask();
    std::thread([] { Check(ask() >= 0, "one that is there"); }).join();
    ++moved[ask() != before];
  };
  ExpectPass(Walk(body, 200));
  EXPECT_GT(moved[0], 0);
  if (sysconf(_SC_NPROCESSORS_ONLN) > 1) EXPECT_GT(moved[1], 0);
}

std::string NameOf(pthread_t thread) {
  char name[16] = "";
  Check(pthread_getname_np(thread, name, sizeof(name)) == 0, "the name is told");
  return name;
}

TEST(Threads, NamesAreTheirOwn) {
  const std::string before = NameOf(pthread_self());
  ExpectPass(Walk([&before] {
    Check(NameOf(pthread_self()) == before, "as outside");
    pthread_setname_np(pthread_self(), "first");
    std::atomic<bool> is_named = false;
    std::thread other([&is_named] {
      Check(NameOf(pthread_self()) == "first", "its creator's");
      prctl(PR_SET_NAME, "a name that is cut");
      is_named = true;
      Check(NameOf(pthread_self()) == "a name that is ", "its own");
    });
    const pthread_t handle = other.native_handle();
    while (!is_named) std::this_thread::yield();
    char name[16];
    Check(pthread_setname_np(handle, "one that is too long") == ERANGE, "a long name");
    Check(pthread_getname_np(handle, name, 15) == ERANGE, "too small a buffer");
    Check(NameOf(handle) == "a name that is ", "the other one's");
    prctl(PR_GET_NAME, name);
    Check(name == std::string("first"), "one's own");
    other.join();
  }));
  EXPECT_EQ(NameOf(pthread_self()), before);
}

TEST(Threads, DetachedThreadsRunOn) {
  const ExploreResult result = SearchAll([] {
    static std::atomic<int> done;
    std::thread([] { done.store(1); }).detach();
    done.fetch_add(10);
  });
  ExpectPass(result);
  // On weak memory the addition may also go before a store that has been made already.
  EXPECT_EQ(result.executions, kTestMemory == MemoryMode::kSc ? 2u : 3u);
}

TEST(Threads, CreatedDetached) {
  const ExploreResult result = Walk([] {
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_t thread;
    Check(pthread_create(&thread, &attributes, Return, nullptr) == 0, "created");
    pthread_attr_destroy(&attributes);
    pthread_join(thread, nullptr);
  });
  EXPECT_EQ(result.verdict.kind, VerdictKind::kMisuse) << result.verdict.message;
}

TEST(Threads, JoinedTwice) {
  const ExploreResult result = Walk([] {
    pthread_t thread;
    Check(pthread_create(&thread, nullptr, Return, nullptr) == 0, "created");
    pthread_join(thread, nullptr);
    pthread_join(thread, nullptr);
  });
  EXPECT_EQ(result.verdict.kind, VerdictKind::kMisuse) << result.verdict.message;
}

TEST(Threads, JoinsItself) {
  ExpectPass(Walk([] {
    std::thread thread([] { Check(pthread_join(pthread_self(), nullptr) == EDEADLK, "refused"); });
    thread.join();
  }));
}

TEST(Threads, JoinOfOneThatNeverEnds) {
  const ExploreResult result = Walk([] {
    std::atomic<int> never{0};
    std::thread thread([&] { never.wait(0); });
    thread.join();
  });
  EXPECT_EQ(result.verdict.kind, VerdictKind::kDeadlock);
  EXPECT_NE(result.verdict.message.find("waits for thread 1 to end"), std::string::npos)
      << result.verdict.message;
}

TEST(Threads, DestructorOfAJoinableThreadAborts) {
  const ExploreResult result =
      Walk([] { std::thread thread([] { std::atomic<int>(0).store(1); }); });
  EXPECT_EQ(result.verdict.kind, VerdictKind::kAbort) << result.verdict.message;
}

// ---- exceptions and the processor's state

TEST(Exceptions, OfSeveralThreadsDoNotMix) {
  ExpectPass(Walk([] {
    std::atomic<int> word{0};
    auto work = [&](int number) {
      try {
        word.fetch_add(1);
        throw number;
      } catch (int caught) {
        word.fetch_add(1);
        Check(std::uncaught_exceptions() == 0, "it is caught");
        try {
          word.fetch_add(1);
          throw std::to_string(number);
        } catch (const std::string& text) {
          word.fetch_add(1);
          Check(text == std::to_string(caught), "the inner one is this thread's");
        }
        word.fetch_add(1);
        Check(caught == number, "the outer one is this thread's");
        try {
          throw;
        } catch (int again) {
          Check(again == number, "and so is the one thrown again");
        }
      }
    };
    std::thread a(work, 1), b(work, 2);
    work(3);
    a.join();
    b.join();
  }));
}

TEST(Exceptions, PassFromThreadToThread) {
  ExpectPass(Walk([] {
    std::exception_ptr pointer;
    std::thread([&] {
      try {
        throw std::runtime_error("planted, with a text that is too long to be kept in place");
      } catch (...) {
        pointer = std::current_exception();
      }
    }).join();
    try {
      std::rethrow_exception(pointer);
    } catch (const std::runtime_error& error) {
      Check(std::string(error.what()).find("planted") == 0, "has its text");
    }
  }));
}

TEST(Exceptions, UncaughtOnAThreadIsAVerdict) {
  for (int i = 0; i < 100; ++i) {
    const ExploreResult result = Walk([] {
      std::atomic<int> word{0};
      std::thread thread([&] {
        word.store(1);
        throw std::runtime_error("planted");
      });
      thread.join();
    });
    ASSERT_EQ(result.verdict.kind, VerdictKind::kException);
    ASSERT_NE(result.verdict.message.find("planted"), std::string::npos);
  }
}

// Starts a thread where there are none to be simulated.
class StartsTooEarly : public Program {
 public:
  void Begin() override {
    std::thread([] {}).join();
  }
  int ThreadCount() const override { return 1; }
  void RunThread(int /*thread*/) override {}
};

TEST(Harness, StartsNoThreads) {
  StartsTooEarly program;
  RandomWalk walk(1);
  const ExploreResult result = Explore(program, walk, {.executions = 10});
  EXPECT_EQ(result.verdict.signature, "unsupported|thread of the harness")
      << result.verdict.message;
}

TEST(ProcessorState, RoundingModeIsTheThreadsOwn) {
  ExpectPass(Walk([] {
    std::atomic<int> word{0};
    auto work = [&](int mode) {
      std::fesetround(mode);
      for (int i = 0; i < 3; ++i) {
        word.fetch_add(1);
        Check(std::fegetround() == mode, "the rounding mode stays");
        volatile double x = 0.5;
        volatile long double y = 0.5L;
        const int expected = mode == FE_UPWARD ? 1 : 0;
        Check(static_cast<int>(std::nearbyint(x)) == expected, "and is in force");
        Check(static_cast<int>(std::nearbyint(y)) == expected, "also for the x87");
      }
    };
    std::thread a(work, FE_UPWARD), b(work, FE_DOWNWARD);
    work(FE_TOWARDZERO);
    a.join();
    b.join();
  }));
  EXPECT_EQ(std::fegetround(), FE_TONEAREST);
}

TEST(ProcessorState, StacksAreAligned) {
  ExpectPass(Walk([] {
    auto work = [] {
      alignas(64) volatile char wide[64] = {};
      volatile __int128 number = 1;
      Check(reinterpret_cast<uintptr_t>(wide) % 64 == 0, "aligned");
      std::atomic<int>(0).store(static_cast<int>(number));
      char text[64];
      snprintf(text, sizeof(text), "%.3f", 1.5);  // uses aligned vector moves
      Check(std::string(text) == "1.500", "variadic functions work");
    };
    std::thread a(work);
    work();
    a.join();
  }));
}

}  // namespace
}  // namespace jacquard
