// Function-local statics and call_once.
#include <gtest/gtest.h>

#include <atomic>
#include <mutex>
#include <thread>

#include "sim/runtime.h"
#include "tests/sim/searches.h"

namespace jacquard {
namespace {

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

}  // namespace
}  // namespace jacquard
