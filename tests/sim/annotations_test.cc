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
