// What annotations for ThreadSanitizer and its elders order, and what they do not.
#include <gtest/gtest.h>

#include <atomic>
#include <cstddef>
#include <functional>
#include <thread>

#include "tests/sim/searches.h"

// The public annotations, as sanitizer/tsan_interface.h declares them.
extern "C" void __tsan_acquire(void* object);
extern "C" void __tsan_release(void* object);
extern "C" void __tsan_mutex_pre_lock(void* mutex, unsigned flags);
extern "C" void __tsan_mutex_post_lock(void* mutex, unsigned flags, int recursion);
extern "C" int __tsan_mutex_pre_unlock(void* mutex, unsigned flags);
extern "C" void __tsan_mutex_post_unlock(void* mutex, unsigned flags);
extern "C" void __tsan_mutex_pre_divert(void* mutex, unsigned flags);
extern "C" void __tsan_mutex_post_divert(void* mutex, unsigned flags);
// The older ones, as headers declare them by themselves.
extern "C" void AnnotateHappensBefore(const char* file, int line, void* object);
extern "C" void AnnotateHappensAfter(const char* file, int line, void* object);
extern "C" void AnnotateRWLockAcquired(const char* file, int line, void* lock, size_t writes);
extern "C" void AnnotateRWLockReleased(const char* file, int line, void* lock, size_t writes);
extern "C" void AnnotateIgnoreReadsBegin(const char* file, int line);
extern "C" void AnnotateIgnoreReadsEnd(const char* file, int line);
extern "C" void AnnotateBenignRaceSized(const char* file, int line, void* object, size_t size,
                                        const char* why);

namespace jacquard {
namespace {

using enum std::memory_order;

// One thread writes, says so by `release`, and sets a flag that orders nothing; the other sees the
// flag, says so by `acquire`, and writes.
std::function<void()> HandOver(void (*release)(void*), void (*acquire)(void*)) {
  return [=] {
    int data = 0;
    std::atomic<int> flag{0};
    std::thread other([&] {
      data = 1;
      release(&flag);
      flag.store(1, relaxed);
    });
    if (flag.load(relaxed) != 0) {
      acquire(&flag);
      ++data;
    }
    other.join();
  };
}

TEST(NoRace, Annotations) { ExpectNoRace(HandOver(__tsan_release, __tsan_acquire)); }

void HappensBefore(void* object) { AnnotateHappensBefore(__FILE__, __LINE__, object); }
void HappensAfter(void* object) { AnnotateHappensAfter(__FILE__, __LINE__, object); }

TEST(NoRace, OlderAnnotations) {
  ExpectNoRace(HandOver(HappensBefore, HappensAfter));
  ExpectNoRace(HandOver([](void* lock) { AnnotateRWLockReleased(__FILE__, __LINE__, lock, 1); },
                        [](void* lock) { AnnotateRWLockAcquired(__FILE__, __LINE__, lock, 1); }));
  ExpectNoRace([] {
    int data = 0;
    std::thread other([&] { data = 1; });
    AnnotateIgnoreReadsBegin(__FILE__, __LINE__);
    EXPECT_LE(data, 1);
    AnnotateIgnoreReadsEnd(__FILE__, __LINE__);
    TakeStep();
    other.join();
  });
}

// Two threads that add something under a reader/writer lock which only says that it is one: each as
// a reader or as a writer. Its own word orders them, but not what they do.
std::function<void()> AddUnder(bool first_writes, bool second_writes, bool older) {
  return [=] {
    std::atomic<int> lock{0};
    int data = 0;
    const auto add = [&](bool writes) {
      constexpr unsigned kReadLock = 1 << 3;
      const unsigned flags = writes ? 0 : kReadLock;
      while (lock.exchange(1, relaxed) != 0) std::this_thread::yield();
      if (older) {
        AnnotateRWLockAcquired(__FILE__, __LINE__, &lock, writes ? 1 : 0);
      } else {
        __tsan_mutex_pre_lock(&lock, flags);
        __tsan_mutex_post_lock(&lock, flags, 0);
      }
      ++data;
      if (older) {
        AnnotateRWLockReleased(__FILE__, __LINE__, &lock, writes ? 1 : 0);
      } else {
        __tsan_mutex_pre_unlock(&lock, flags);
        __tsan_mutex_post_unlock(&lock, flags);
      }
      lock.store(0, relaxed);
    };
    std::thread other([&] { add(first_writes); });
    add(second_writes);
    other.join();
  };
}

TEST(NoRace, BetweenAWriterAndOthers) {
  for (const bool older : {false, true}) {
    ExpectNoRace(AddUnder(true, true, older));
    ExpectNoRace(AddUnder(true, false, older));
  }
}

TEST(Race, BetweenReaders) {
  for (const bool older : {false, true}) ExpectRace(AddUnder(false, false, older), "plain");
}

// A lock that tells of itself. Between the two calls for it, it looks at what it guards.
class LookingLock {
 public:
  explicit LookingLock(const volatile int& guarded) : guarded_(guarded) {}

  void Lock(void (*look)(LookingLock&)) {
    __tsan_mutex_pre_lock(this, 0);
    look(*this);
    while (word_.exchange(1, relaxed) != 0) std::this_thread::yield();
    __tsan_mutex_post_lock(this, 0, 0);
  }
  void Unlock() {
    __tsan_mutex_pre_unlock(this, 0);
    word_.store(0, relaxed);
    __tsan_mutex_post_unlock(this, 0);
  }

  void Look() { last_seen_ = guarded_; }
  void LookAsOthersDo() {
    __tsan_mutex_pre_divert(this, 0);
    Look();
    __tsan_mutex_post_divert(this, 0);
  }

 private:
  std::atomic<int> word_{0};
  const volatile int& guarded_;
  std::atomic<int> last_seen_{0};
};

std::function<void()> AddTwice(void (*look)(LookingLock&), bool looks_later = false) {
  return [=] {
    int data = 0;
    LookingLock lock(data);
    const auto add = [&] {
      lock.Lock(look);
      ++data;
      lock.Unlock();
      if (looks_later) lock.Look();
    };
    std::thread other(add);
    add();
    other.join();
  };
}

TEST(NoRace, WithinALockThatTellsOfItself) {
  ExpectNoRace(AddTwice([](LookingLock& lock) { lock.Look(); }));
}

TEST(Race, OutsideOfALockThatTellsOfItself) {
  ExpectRace(AddTwice([](LookingLock& lock) { lock.LookAsOthersDo(); }), "plain");
  ExpectRace(AddTwice([](LookingLock&) {}, true), "plain");
}

// Whoever does not believe them looks at what is there, also within the lock.
TEST(Race, AnnotationsThatAreNotBelieved) {
  ExecutionOptions options = TestOptions();
  options.annotations = false;
  const uint64_t before = RuntimeCounters().annotations;
  for (const auto& body :
       {HandOver(__tsan_release, __tsan_acquire), HandOver(HappensBefore, HappensAfter),
        AddTwice([](LookingLock& lock) { lock.Look(); })}) {
    const ExploreResult result = Walk(body, 1000, options);
    EXPECT_EQ(result.verdict.kind, VerdictKind::kRace) << result.verdict.message;
  }
  EXPECT_EQ(RuntimeCounters().annotations, before);
  ExpectNoRace(HandOver(__tsan_release, __tsan_acquire));
  EXPECT_GT(RuntimeCounters().annotations, before);
}

TEST(Race, OlderAnnotationsThatDoNotOrder) {
  const auto none = [](void*) {};
  ExpectRace(HandOver(none, HappensAfter), "plain read and plain write");
  ExpectRace(HandOver(HappensBefore, none), "plain read and plain write");
  ExpectRace(
      HandOver([](void* object) { AnnotateBenignRaceSized(__FILE__, __LINE__, object, 4, ""); },
               none),
      "plain read and plain write");
}

}  // namespace
}  // namespace jacquard
