// What inline assembly orders in the simulation, and who waits by it: locks, fences, time stamps.
#include <emmintrin.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <thread>
#include <tuple>

#include "sim/runtime.h"
#include "tests/sim/searches.h"
#include "tools/install/inline_assembly.h"  // before all others, as by the compiler wrappers

namespace jacquard {
namespace {

class SpinLock {
 public:
  void Lock() {
    while (!TryLock()) __asm__ volatile("pause");
  }
  bool TryLock() {
    uint32_t taken = 1;
    __asm__ volatile("xchg %0, %1" : "+r"(taken), "+m"(word_) : : "memory");
    return taken == 0;
  }
  void Unlock() { __asm__ volatile("lock; andl $0, %0" : "+m"(word_) : : "memory", "cc"); }

 private:
  uint32_t word_ = 0;
};

// Some locks want something for each thread that holds or awaits them.
template <class Lock, class... Nodes>
void ExpectOrdersWhatItGuards() {
  const ExploreResult result = Walk([] {
    Lock lock;
    int x = 0;
    const auto count = [&] {
      std::tuple<Nodes...> nodes;
      std::apply([&](auto&... node) { lock.Lock(node...); }, nodes);
      ++x;
      std::apply([&](auto&... node) { lock.Unlock(node...); }, nodes);
    };
    std::thread a(count);
    std::thread b(count);
    count();
    a.join();
    b.join();
    Check(x == 3, "all have counted");
  });
  EXPECT_TRUE(result.verdict.passed()) << result.verdict.message;
}

TEST(InlineAssemblyOrder, LocksOrderWhatTheyGuard) { ExpectOrdersWhatItGuards<SpinLock>(); }

TEST(InlineAssemblyOrder, ALockThatIsLeftOutIsARace) {
  const ExploreResult result = Walk([] {
    SpinLock lock;
    int x = 0;
    std::thread a([&] {
      lock.Lock();
      ++x;
      lock.Unlock();
    });
    ++x;
    a.join();
  });
  EXPECT_EQ(result.verdict.kind, VerdictKind::kRace);
}

// Waits as the Linux kernel and DPDK do: only what it looks at is in memory.
class LookingLock {
 public:
  void Lock() {
    __asm__ volatile(
        "1:\tlock; decb %0\n\tjns 3f\n"
        "2:\tpause\n\tcmpb $0, %0\n\tjle 2b\n\tjmp 1b\n3:"
        : "+m"(word_)
        :
        : "memory", "cc");
  }
  void Unlock() { __asm__ volatile("movb $1, %0" : "+m"(word_) : : "memory"); }

 private:
  uint8_t word_ = 1;
};

TEST(InlineAssemblyOrder, WhoLooksSeesWhatIsReleased) { ExpectOrdersWhatItGuards<LookingLock>(); }

// A thread's own variable by a segment, as the compiler has them where it optimises, and others by
// a pointer.
extern "C" thread_local uint32_t jacquard_test_done;
thread_local uint32_t jacquard_test_done;

TEST(InlineAssemblyOrder, ThreadLocalVariablesOrderThreads) {
  const ExploreResult result = Walk([] {
    static std::atomic<uint32_t*> published;
    int data = 0;
    jacquard_test_done = 0;
    published = nullptr;
    std::thread other([&] {
      const uint32_t* const flag = published.load(std::memory_order_acquire);
      if (flag == nullptr) return;
      uint32_t value;
      __asm__ volatile("movl %1, %0" : "=r"(value) : "m"(*flag) : "memory");
      if (value != 0) Check(data == 1, "is there");
    });
    published.store(&jacquard_test_done, std::memory_order_release);
    data = 1;
    __asm__ volatile("lock; orl $1, %%fs:jacquard_test_done@tpoff" : : : "memory", "cc");
    other.join();
    Check(jacquard_test_done == 1, "is set");
  });
  EXPECT_TRUE(result.verdict.passed()) << result.verdict.message;
}

TEST(InlineAssemblyOrder, ALockThatIsNeverReleasedIsADeadlock) {
  const ExploreResult result = Walk([] {
    SpinLock lock;
    lock.Lock();
    std::thread a([&] { lock.Lock(); });
    a.join();
  });
  EXPECT_EQ(result.verdict.kind, VerdictKind::kDeadlock);
}

// What functions of the runtime leave in registers and below the stack pointer is nobody's state.
TEST(InlineAssemblyOrder, WhoReadsWhileSpinningIsInADeadlockToo) {
  const uint64_t steps_before = RuntimeCounters().steps;
  const ExploreResult result = Walk([] {
    static volatile int looked_at;
    SpinLock lock;
    lock.Lock();
    std::thread a([&] {
      while (!lock.TryLock()) static_cast<void>(looked_at);
    });
    a.join();
  });
  EXPECT_EQ(result.verdict.kind, VerdictKind::kDeadlock) << result.verdict.message;
  EXPECT_LT(RuntimeCounters().steps - steps_before, 1'000'000u) << "it is known soon";
}

// Somebody who tries to get the lock a number of times, which only a register has that no called
// function preserves: longer than is tried before there is a deadlock.
constexpr int kTries = 60'000;

bool TryByCounter(uint32_t& word) {
  register int64_t left __asm__("r8") = kTries;
  __asm__ volatile(
      "1:\tmovl $1, %%eax\n\txchgl %%eax, %1\n\ttestl %%eax, %%eax\n\tjz 2f\n\t"
      "decq %0\n\tjnz 1b\n2:"
      : "+r"(left), "+m"(word)
      :
      : "rax", "memory", "cc");
  return left != 0;
}

// A floating-point one.
bool TryByDouble(uint32_t& word) {
  register double left __asm__("xmm7") = kTries;
  register double one __asm__("xmm6") = 1;
  register double none __asm__("xmm5") = 0;
  __asm__ volatile(
      "1:\tmovl $1, %%eax\n\txchgl %%eax, %1\n\ttestl %%eax, %%eax\n\tjz 2f\n\t"
      "subsd %2, %0\n\tucomisd %3, %0\n\tjne 1b\n2:"
      : "+x"(left), "+m"(word)
      : "x"(one), "x"(none)
      : "rax", "memory", "cc");
  return left != none;
}

TEST(InlineAssemblyOrder, WhoTriesANumberOfTimesIsInNoDeadlock) {
  for (bool (*const try_for)(uint32_t&) : {TryByCounter, TryByDouble}) {
    const ExploreResult result = Walk(
        [try_for] {
          static uint32_t word;
          Check(try_for(word), "it was free");
          std::thread a([&] { Check(!try_for(word), "it never is again"); });
          Check(!try_for(word), "nor here");
          a.join();
        },
        1);
    EXPECT_TRUE(result.verdict.passed()) << result.verdict.message;
  }
}

// Each waits on a word of its own, which lies on its stack: moves are all that it does there.
class QueueLock {
 public:
  struct Node {
    Node* next;
    uint64_t waits;
  };
  void Lock(Node& mine) {
    mine = {nullptr, 1};
    Node* last = &mine;
    __asm__ volatile("xchgq %0, %1" : "+r"(last), "+m"(last_) : : "memory");
    if (last == nullptr) return;
    __asm__ volatile("movq %1, %0" : "=m"(last->next) : "r"(&mine) : "memory");
    while (Loaded(mine.waits) != 0) __asm__ volatile("pause");
  }
  void Unlock(Node& mine) {
    if (Loaded(mine.next) == nullptr) {
      Node* last = &mine;
      __asm__ volatile("lock cmpxchgq %2, %1"
                       : "+a"(last), "+m"(last_)
                       : "r"(nullptr)
                       : "memory", "cc");
      if (last == &mine) return;
      while (Loaded(mine.next) == nullptr) {
      }
    }
    __asm__ volatile("movq $0, %0" : "=m"(Loaded(mine.next)->waits) : : "memory");
  }

 private:
  template <class T>
  static T Loaded(const T& word) {
    T value;
    __asm__ volatile("movq %1, %0" : "=r"(value) : "m"(word) : "memory");
    return value;
  }

  Node* last_ = nullptr;
};

TEST(InlineAssemblyOrder, MovesOrderWhatALockGuards) {
  ExpectOrdersWhatItGuards<QueueLock, QueueLock::Node>();
}

TEST(InlineAssemblyOrder, WhoWaitsByMovesForEverIsInADeadlock) {
  const ExploreResult result = Walk([] {
    QueueLock lock;
    QueueLock::Node node;
    lock.Lock(node);
    std::thread a([&] {
      QueueLock::Node another;
      lock.Lock(another);
    });
    a.join();
  });
  EXPECT_EQ(result.verdict.kind, VerdictKind::kDeadlock);
}

TEST(InlineAssemblyOrder, TwoStepsAreTwo) {
  const ExploreResult result = Walk([] {
    uint64_t x = 0;
    const auto count = [&] {
      uint64_t old = 0;
      __asm__ volatile("lock xadd %0, %1" : "+r"(old), "+m"(x) : : "memory", "cc");
      ++old;
      __asm__ volatile("xchg %0, %1" : "+r"(old), "+m"(x) : : "memory");
    };
    std::thread a(count);
    count();
    a.join();
    Check(x == 2, "nothing is lost");
  });
  EXPECT_EQ(result.verdict.kind, VerdictKind::kInvariant);
}

// Store buffering with `fence` between store and load. Whether both threads may read 0.
bool BothMayReadZero(void (*fence)()) {
  static void (*between)();
  between = fence;
  const ExploreResult result = SearchAll([] {
    std::atomic<int> x{0};
    std::atomic<int> y{0};
    int a = 0;
    std::thread other([&] {
      x.store(1, std::memory_order_relaxed);
      between();
      a = y.load(std::memory_order_relaxed);
    });
    y.store(1, std::memory_order_relaxed);
    between();
    const int b = x.load(std::memory_order_relaxed);
    other.join();
    Check(a != 0 || b != 0, "one of them comes first");
  });
  return !result.verdict.passed();
}

TEST(InlineAssemblyOrder, FullFences) {
  EXPECT_FALSE(BothMayReadZero([] { __asm__ volatile("mfence" ::: "memory"); }));
  EXPECT_FALSE(BothMayReadZero([] { _mm_mfence(); }));
  EXPECT_FALSE(BothMayReadZero([] {
    uint32_t a = 0;
    uint32_t b;
    uint32_t c = 0;
    uint32_t d;
    __asm__ volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d) : : "memory");
  }));
  EXPECT_FALSE(BothMayReadZero([] {
    __asm__ volatile("lock; addl $0,(%%rsp)" ::: "memory", "cc");
  }));
  EXPECT_FALSE(BothMayReadZero([] {
    int word = 0;
    __asm__ volatile("lock incl %0" : "+m"(word)::"memory", "cc");
  }));
  EXPECT_TRUE(BothMayReadZero([] {}));
  EXPECT_TRUE(BothMayReadZero([] { _mm_lfence(); }));
  EXPECT_TRUE(BothMayReadZero([] { _mm_sfence(); }));
}

// Whether a message comes with what was written before it.
VerdictKind PassMessage(void (*before_store)(), void (*after_load)()) {
  static void (*writer)();
  static void (*reader)();
  writer = before_store;
  reader = after_load;
  return SearchAll([] {
           std::atomic<int> flag{0};
           int data = 0;
           std::thread other([&] {
             data = 1;
             writer();
             flag.store(1, std::memory_order_relaxed);
           });
           if (flag.load(std::memory_order_relaxed) != 0) {
             reader();
             Check(data == 1, "the message is there");
           }
           other.join();
         })
      .verdict.kind;
}

TEST(InlineAssemblyOrder, HalfFences) {
  const auto load = [] { __asm__ volatile("lfence" ::: "memory"); };
  const auto store = [] { __asm__ volatile("sfence" ::: "memory"); };
  const auto none = [] {};
  EXPECT_EQ(PassMessage(store, load), VerdictKind::kPass);
  EXPECT_EQ(PassMessage(none, load), VerdictKind::kRace);
  EXPECT_EQ(PassMessage(store, none), VerdictKind::kRace);
}

TEST(InlineAssemblyOrder, TimeStampsAreVirtual) {
  const ExploreResult result = Walk([] {
    uint32_t low;
    uint32_t high;
    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    const uint64_t before = uint64_t{high} << 32 | low;
    std::this_thread::sleep_for(std::chrono::seconds(1));
    unsigned processor = 1;
    const uint64_t passed = __builtin_ia32_rdtscp(&processor) - before;
    Check(passed >= 1'000'000'000 && passed < 1'100'000'000, "a second has passed");
    Check(processor == 0, "there is one processor");
    std::thread another([] {});
    another.join();
  });
  EXPECT_TRUE(result.verdict.passed()) << result.verdict.message;
}

}  // namespace
}  // namespace jacquard
