// What each thread has for itself: thread-local variables, errno, pthread_setspecific.
#include <errno.h>
#include <gtest/gtest.h>
#include <limits.h>
#include <locale.h>
#include <pthread.h>

#include <atomic>
#include <exception>
#include <future>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "sim/runtime.h"
#include "tests/sim/searches.h"

namespace jacquard {
namespace {

// ---- thread_local

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
locale_t of_threads = nullptr;

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

// They live as long as their thread does.
TEST(ThreadLocals, MustNotBeUsedAfterTheirThread) {
  const std::string signature = "stack error|thread-local variable used after its thread has ended";
  static int* theirs;
  static std::atomic<int>* theirs_too;
  static thread_local std::atomic<int> word;
  const auto publish = [] {
    theirs = &plain;
    theirs_too = &word;
  };
  ExpectVerdict(
      [&] {
        std::thread(publish).join();
        Check(*theirs != 9, "read");
      },
      signature);
  ExpectVerdict(
      [&] {
        std::thread(publish).join();
        *theirs = 9;
      },
      signature);
  ExpectVerdict(
      [&] {
        std::thread(publish).join();
        Check(theirs_too->load() != 9, "read");
      },
      signature);
  // Only if the other is early.
  ExpectVerdict(
      [&] {
        static std::atomic<bool> published;
        std::thread other([&] {
          publish();
          published = true;
        });
        while (!published) {
        }
        theirs_too->store(1);
        other.join();
      },
      signature);
  ExpectPass(Walk([&] {
    static std::atomic<bool> published, used;
    std::thread other([&] {
      publish();
      published = true;
      while (!used) {
      }
      Check(*theirs == 9, "written by another");
    });
    while (!published) {
    }
    *theirs = 9;
    theirs_too->store(1);
    used = true;
    other.join();
    publish();  // its own
    Check(*theirs == 7, "read");
  }));
}

// As C has it for a program's start, and as every new thread finds things in the C library, whoever
// has used the storage before.
TEST(NewThreads, FindTheLibrarysStateAsItIsAtFirst) {
  static const auto use = [] {
    Check(errno == 0, "errno");
    errno = 77;
    int old = -1;
    Check(pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &old) == 0, "state set");
    Check(old == PTHREAD_CANCEL_ENABLE, "the state");
    Check(pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, &old) == 0, "type set");
    Check(old == PTHREAD_CANCEL_DEFERRED, "the type");
    Check(pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, &old) == 0, "set again");
    Check(old == PTHREAD_CANCEL_DISABLE, "as it was set");
    Check(pthread_setcancelstate(1000, &old) == EINVAL, "no state");
    Check(uselocale(nullptr) == LC_GLOBAL_LOCALE, "the locale");
    Check(uselocale(of_threads) == LC_GLOBAL_LOCALE, "set");
    Check(uselocale(nullptr) == of_threads, "as it was set");
  };
  of_threads = newlocale(LC_ALL_MASK, "C.UTF-8", nullptr);
  ASSERT_NE(of_threads, nullptr);
  ExpectPass(Walk(
      [] {
        use();
        // More than there are numbers for, so that some are used again.
        for (int i = 0; i < 300; ++i) std::thread(use).join();
      },
      3));
  EXPECT_EQ(uselocale(nullptr), LC_GLOBAL_LOCALE);
  freelocale(of_threads);
}

TEST(Keys, ThatAreNotThereAreRefused) {
  ExpectPass(Walk(
      [] {
        TakeStep();
        pthread_key_t key;
        Check(pthread_key_create(&key, nullptr) == 0, "made");
        Check(pthread_setspecific(key, &key) == 0, "set");
        Check(pthread_key_delete(key) == 0, "deleted");
        Check(pthread_setspecific(key, &key) == EINVAL, "deleted before");
        Check(pthread_getspecific(key) == nullptr, "no value");
        Check(pthread_setspecific(PTHREAD_KEYS_MAX - 1, &key) == EINVAL, "never made");
      },
      20));
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

// It also lets go of the value there, perhaps as the last one: after all that others have done.
TEST(ThreadKeys, OfALibraryMayBeTheLastToKeepAValue) {
  ExpectPass(Walk([] {
    std::promise<std::string> promise;
    std::future<std::string> future = promise.get_future();
    std::thread thread(
        [](std::promise<std::string> own) { own.set_value_at_thread_exit("a value"); },
        std::move(promise));
    Check(future.get() == "a value", "the value, when the thread has ended");
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

// A return from main() runs none, and neither does that of the body.
TEST(ThreadKeys, DestructorsDoNotRunAtTheEndOfTheProgram) {
  ExpectPass(Walk([] {
    static pthread_key_t key;
    static std::atomic<bool> over;
    pthread_key_create(&key, [](void*) { Check(!over, "a thread has ended, not the program"); });
    std::thread([] { pthread_setspecific(key, &key); }).join();
    pthread_setspecific(key, &key);
    over = true;
  }));
  ExpectVerdict(
      [] {
        static pthread_key_t key;
        pthread_key_create(&key, [](void*) { std::abort(); });
        pthread_setspecific(key, &key);
        std::thread([] {}).join();
        pthread_exit(nullptr);
      },
      "abort|abort");
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

}  // namespace
}  // namespace jacquard
