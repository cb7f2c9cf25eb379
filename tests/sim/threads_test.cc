// Threads and thread-local storage in the simulation: creation, joining, detaching, limits,
// statics, exceptions.
#include <errno.h>
#include <gtest/gtest.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cfenv>
#include <chrono>
#include <cmath>
#include <exception>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "sim/runtime.h"
#include "tests/sim/searches.h"

namespace jacquard {
namespace {

void ExpectPass(const ExploreResult& result) {
  EXPECT_TRUE(result.verdict.passed()) << result.verdict.message;
}

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
  EXPECT_TRUE(result.verdict.passed()) << result.verdict.message;
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
  ExpectPass(Walk(
      [] {
        std::atomic<int> count{0};
        std::vector<std::thread> threads;
        for (int i = 1; i < kMaxThreads; ++i) threads.emplace_back([&] { count.fetch_add(1); });
        pthread_t handle;
        Check(pthread_create(&handle, nullptr, Return, nullptr) == EAGAIN, "no room for one more");
        bool thrown = false;
        try {
          threads.emplace_back([] {});
        } catch (const std::system_error& error) {
          thrown = error.code() == std::errc::resource_unavailable_try_again;
        }
        Check(thrown, "std::thread says so by an exception");
        for (std::thread& thread : threads) thread.join();
        Check(count == kMaxThreads - 1, "all others have run");
      },
      3));
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

TEST(Threads, WhatWouldBlockTheProcessIsRefusedAtOnce) {
  const std::vector<std::function<void()>> bodies = {
      [] {
        std::atomic<int>(0).store(1);
        pthread_kill(pthread_self(), SIGUSR1);
      },
      [] {
        std::atomic<int>(0).store(1);
        pthread_t thread;
        pthread_create(&thread, nullptr, Return, nullptr);
        pthread_cancel(thread);
      },
  };
  for (const std::function<void()>& body : bodies) {
    EXPECT_EQ(Walk(body).verdict.kind, VerdictKind::kUnsupported);
  }
}

// ---- thread-local storage

int constructed = 0;
int destroyed = 0;

struct Counted {
  Counted() { ++constructed; }
  ~Counted() { ++destroyed; }
  int value = 3;
};
thread_local Counted counted;
thread_local int plain = 7;
struct alignas(256) Aligned {
  char bytes[256] = {1};
};
thread_local Aligned aligned;
thread_local std::vector<std::string> texts;

TEST(ThreadLocals, AreConstructedAndDestroyedOnEachThread) {
  ExpectPass(Walk([] {
    auto work = [] {
      Check(counted.value == 3, "constructed anew");
      counted.value = 4;
      Check(plain == 7, "has its initial value");
      plain = 8;
      Check(texts.empty(), "is empty");
      texts.push_back("a text that is too long to be kept in place");
    };
    std::thread a(work);
    a.join();
    Check(constructed == 1 && destroyed == 1, "one thread, one object");
    std::thread b(work), c([] {});
    b.join();
    c.join();
    Check(constructed == 2 && destroyed == 2, "only threads that use it have one");
    work();
  }));
  EXPECT_EQ(constructed, 0);
}

TEST(ThreadLocals, DestructorsRunInReverseOrderAndMayUseOthers) {
  static std::string* order = nullptr;
  struct Noted {
    explicit Noted(char name) : name(name) {}
    ~Noted() { order->push_back(name); }
    char name;
  };
  ExpectPass(Walk([] {
    std::string local;
    order = &local;
    std::thread([] {
      thread_local Noted a('a');
      thread_local Noted b('b');
      struct Late {
        ~Late() { thread_local Noted c('c'); }
      };
      thread_local Late late;
      (void)a;
      (void)b;
      (void)late;
    }).join();
    Check(local == "cba", "the order is right");
  }));
}

TEST(ThreadLocals, AreAligned) {
  ExpectPass(Walk([] {
    auto check = [] {
      Check(reinterpret_cast<uintptr_t>(&aligned) % 256 == 0, "the address is aligned");
      Check(aligned.bytes[0] == 1 && aligned.bytes[255] == 0, "has its initial value");
      aligned.bytes[255] = 9;
      std::atomic<int>(0).store(1);
    };
    std::thread a(check), b(check);
    check();
    a.join();
    b.join();
  }));
}

TEST(ThreadLocals, ErrnoIsTheThreadsOwn) {
  ExpectPass(Walk([] {
    std::atomic<int> word{0};
    auto work = [&](int number) {
      for (int i = 0; i < 3; ++i) {
        errno = number;
        word.fetch_add(1);
        std::this_thread::yield();
        Check(errno == number, "errno stays");
      }
    };
    std::thread a(work, 1), b(work, 2);
    work(3);
    a.join();
    b.join();
  }));
}

TEST(ThreadLocals, HarnessDoesNotDisturbErrno) {
  class Harness : public Program {
   public:
    int ThreadCount() const override { return 2; }
    void RunThread(int thread) override {
      errno = thread + 1;
      word_.fetch_add(1);
      word_.fetch_add(1);
      Check(errno == thread + 1, "errno stays");
    }
    void OnStep(const Step& /*step*/) override { errno = 99; }

   private:
    std::atomic<int> word_ = 0;
  };
  Harness program;
  DepthFirst search;
  EXPECT_TRUE(Explore(program, search).verdict.passed());
}

// ---- pthread_setspecific

TEST(ThreadKeys, BeginWithoutValuesInEachExecution) {
  static pthread_key_t key;
  ASSERT_EQ(pthread_key_create(&key, nullptr), 0);
  ExpectPass(Walk([] {
    auto work = [] {
      Check(pthread_getspecific(key) == nullptr, "no value at first");
      pthread_setspecific(key, &key);
      std::this_thread::yield();
      Check(pthread_getspecific(key) == &key, "its own value");
    };
    std::thread a(work), b(work);
    a.join();
    work();
    b.join();
  }));
  EXPECT_EQ(pthread_getspecific(key), nullptr);
  pthread_key_delete(key);
}

TEST(ThreadKeys, MayBeMadeInEveryExecution) {
  ExpectPass(Walk(
      [] {
        static std::once_flag once;
        static pthread_key_t key;
        std::call_once(
            once, [] { Check(pthread_key_create(&key, nullptr) == 0, "there are keys left"); });
        Check(pthread_getspecific(key) == nullptr, "no value at first");
        pthread_setspecific(key, &key);
      },
      5000));
}

// The C++ library makes one when it first needs it, and never again. It makes the value ready in
// the key's destructor, without hooks: who reads it afterwards is in no race.
TEST(ThreadKeys, OfALibraryStay) {
  ExpectPass(Walk([] {
    std::promise<int> promise;
    std::future<int> future = promise.get_future();
    std::thread thread([&promise] { promise.set_value_at_thread_exit(5); });
    Check(future.get() == 5, "the value, when the thread has ended");
    thread.join();
  }));
}

TEST(ThreadKeys, DestructorsRunAtTheEndOfAThread) {
  ExpectPass(Walk([] {
    static pthread_key_t key;
    static std::atomic<int> destroyed;
    pthread_key_create(&key, [](void* value) {
      if (destroyed.fetch_add(1) == 0) pthread_setspecific(key, value);  // once more
    });
    std::thread([] { pthread_setspecific(key, &key); }).join();
    std::thread([] {}).join();
    Check(destroyed == 2, "called until no value is left");
  }));
}

// ---- Begin and End run on a thread of their own

// What Begin leaves in thread-local storage, End sees, and the next execution does not.
class UsesThreadStorage : public Program {
 public:
  UsesThreadStorage() { pthread_key_create(&key_, nullptr); }
  ~UsesThreadStorage() override { pthread_key_delete(key_); }

  int ThreadCount() const override { return 1; }
  void Begin() override {
    Check(number == 7 && pthread_getspecific(key_) == nullptr, "nothing of earlier executions");
    Check(std::uncaught_exceptions() == 0 && !std::current_exception(), "no exception either");
    number = 8;
    pthread_setspecific(key_, &number);
    text() = "too long to be kept in place, so that it has to be destroyed";
    if (fail_in_begin) InCatchBlock();
  }
  void RunThread(int /*thread*/) override {
    Check(number == 7 && text().empty(), "threads have storage of their own");
    word_.fetch_add(1);
  }
  void End() override {
    Check(number == 8 && pthread_getspecific(key_) == &number && !text().empty(),
          "what Begin has left");
    if (fail_in_end) InCatchBlock();
  }

  bool fail_in_begin = false;
  bool fail_in_end = false;

 private:
  static void InCatchBlock() {
    try {
      throw 1;
    } catch (int) {
      Fail("planted", "given up within a catch block");
    }
  }
  static std::string& text() {
    static thread_local std::string text;
    return text;
  }
  static inline thread_local int number = 7;

  pthread_key_t key_ = 0;
  std::atomic<int> word_ = 0;
};

TEST(BeginAndEnd, HaveThreadStorageThatBeginsAnew) {
  UsesThreadStorage program;
  RandomWalk walk(1);
  ExploreOptions options;
  options.executions = 100;
  auto run = [&] { return Explore(program, walk, options).verdict; };
  EXPECT_EQ(run().message, "");
  program.fail_in_end = true;
  EXPECT_EQ(run().signature, "final|planted");
  program.fail_in_end = false;
  EXPECT_EQ(run().message, "");
  program.fail_in_begin = true;
  EXPECT_EQ(run().signature, "final|planted");
  program.fail_in_begin = false;
  EXPECT_EQ(run().message, "");
  EXPECT_FALSE(std::current_exception());
}

// ---- function-local statics

TEST(Statics, AreMadeOnceInEachExecution) {
  ExpectPass(Walk([] {
    static int made = 0;
    Check(made == 0, "begins anew");
    struct Once {
      Once() {
        std::atomic<int>(0).store(1);  // others may run meanwhile
        ++made;
      }
    };
    auto use = [] { static const Once once; };
    std::thread a(use), b(use);
    use();
    a.join();
    b.join();
    Check(made == 1, "made once");
  }));
}

TEST(Statics, ContentionIsSearched) {
  // All three ways: one thread makes it before, after, or while the other one comes.
  const ExploreResult result = SearchAll([] {
    static std::atomic<int> word;
    auto use = [] {
      static const int made = word.fetch_add(1) + word.fetch_add(1);
      word.fetch_add(made);
    };
    std::thread a(use), b(use);
    a.join();
    b.join();
    Check(word == 4, "made once");
  });
  ExpectPass(result);
  EXPECT_TRUE(result.exhausted);
  EXPECT_GT(result.executions, 4u);
}

TEST(Statics, ExceptionInTheInitialiserLetsTheNextOneTry) {
  ExpectPass(Walk([] {
    static std::atomic<int> attempts;
    auto use = [] {
      try {
        static const int made = attempts.fetch_add(1) == 0 ? throw 1 : 2;
        Check(made == 2, "has its value");
      } catch (int) {
      }
    };
    std::thread a(use), b(use), c(use);
    a.join();
    b.join();
    c.join();
    Check(attempts == 2, "made at the second attempt");
  }));
}

int Recursive(int depth) {
  static const int value = depth == 0 ? 1 : Recursive(depth - 1);
  return value;
}

TEST(Statics, RecursiveInitialisationIsADeadlock) {
  const ExploreResult result = Walk([] {
    std::atomic<int>(0).store(1);
    (void)Recursive(1);
  });
  EXPECT_EQ(result.verdict.kind, VerdictKind::kDeadlock) << result.verdict.message;
}

TEST(Statics, CallOnce) {
  ExpectPass(Walk([] {
    static std::once_flag flag;
    static std::atomic<int> calls;
    auto use = [] {
      std::call_once(flag, [] { calls.fetch_add(1); });
      Check(calls == 1, "has been called once when call_once returns");
    };
    std::thread a(use), b(use);
    use();
    a.join();
    b.join();
  }));
}

TEST(Statics, CallOnceAfterAnException) {
  ExpectPass(Walk([] {
    static std::once_flag flag;
    static std::atomic<int> calls;
    auto use = [] {
      try {
        std::call_once(flag, [] {
          if (calls.fetch_add(1) == 0) throw 1;
        });
      } catch (int) {
      }
    };
    std::thread a(use), b(use);
    use();
    a.join();
    b.join();
    Check(calls == 2, "the call that threw does not count");
  }));
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
