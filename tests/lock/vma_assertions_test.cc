// Each assertion, in each situation, asked by whoever is in it and by somebody else, with a
// validator that keeps books and without.
//
// The situations that last only for a moment (a temporary reader, a writer that drains, a detacher
// that waits) are made by stopping a thread where it tells its validator of the lock.
#include "lock/vma_assertions.h"

#include <atomic>
#include <functional>
#include <string>
#include <thread>

#include "gtest/gtest.h"
#include "lock/mmap_lock.h"
#include "lock/vma_lock.h"
#include "tests/lock/recording_validator.h"

namespace jacquard::lock {
namespace {

// Calls back when the thread tells of a VMA's lock.
inline thread_local std::function<void(AcquireMode)> on_vma_acquire;

struct Books : RecordingValidator {
  static void Acquire(Map& map, const Acquisition& acquisition) {
    RecordingValidator::Acquire(map, acquisition);
    if (map.class_name == std::string("vm_lock") && on_vma_acquire) {
      on_vma_acquire(acquisition.mode);
    }
  }
};
struct NoBooks : Books {
  static Held IsHeld(const Map&) { return Held::kUnknown; }
  static Held IsHeld(const Map&, AcquireMode) { return Held::kUnknown; }
};

}  // namespace

template <>
inline constexpr bool kKeepsBooks<NoBooks> = false;

namespace {

// One letter for each of locked, write-locked, stabilised, attached, detached, can modify.
//   p  passes, and should          f  fires, and should
//   n  passes, but should not: a false negative
// None fires that should not.
struct Row {
  const char* truth;  // t or f
  const char* books;
  const char* no_books;
};

template <LockValidator V>
class Situation {
 public:
  using Mm = BasicMmapLock<KernelWidths, V>;
  using Vma = BasicVmaLock<KernelWidths, V>;

  Situation() { Attach(); }
  ~Situation() {
    mm_.Lock();
    vma_.StartWrite(mm_);
    if (vma_.WhyNotDetached() != nullptr) vma_.MarkDetached(mm_);
    mm_.Unlock();
    V::TakeLog();
  }

  void Attach() JACQUARD_NO_THREAD_SAFETY_ANALYSIS {
    mm_.Lock();
    vma_.StartWrite(mm_);
    vma_.MarkAttached(mm_);
    mm_.Unlock();
  }

  // Asks all six, on the calling thread.
  void Ask() {
    for (const char* const why :
         {vma_.WhyNotLocked(mm_), vma_.WhyNotWriteLocked(mm_), vma_.WhyNotStabilised(mm_),
          vma_.WhyNotAttached(), vma_.WhyNotDetached(), vma_.WhyNotCanModify(mm_)}) {
      answer_ += why == nullptr ? 'p' : 'f';
    }
  }

  // Makes the situation on the calling thread and calls `ask` in it.
  using Make = void (Situation::*)(const std::function<void()>& ask);

  void Reader(const std::function<void()>& ask) {
    ASSERT_EQ(vma_.StartRead(mm_), ReadResult::kLocked);
    ask();
    vma_.EndRead();
  }

  void TemporaryReader(const std::function<void()>& ask) {
    on_vma_acquire = [&](AcquireMode) { ask(); };
    ASSERT_EQ(vma_.StartRead(mm_), ReadResult::kLocked);
    on_vma_acquire = nullptr;
    vma_.EndRead();
  }

  // Another thread reads until `ask` has been called.
  void DrainingWriter(const std::function<void()>& ask) JACQUARD_NO_THREAD_SAFETY_ANALYSIS {
    std::atomic<bool> asked{false};
    std::atomic<bool> reads{false};
    std::thread reader([&] {
      ASSERT_EQ(vma_.StartRead(mm_), ReadResult::kLocked);
      reads = true;
      while (!asked) std::this_thread::yield();
      vma_.EndRead();
    });
    while (!reads) std::this_thread::yield();
    mm_.Lock();
    on_vma_acquire = [&](AcquireMode) {
      EXPECT_GT(vma_.LoadWord(), Vma::Values::kWriterTarget);
      ask();
      asked = true;
    };
    vma_.StartWrite(mm_);
    on_vma_acquire = nullptr;
    mm_.Unlock();
    reader.join();
  }

  // The reader of the above is who asks, while the writer waits for it.
  void ReaderUnderDrainingWriter(const std::function<void()>& ask) {
    ASSERT_EQ(vma_.StartRead(mm_), ReadResult::kLocked);
    std::thread writer([&]() JACQUARD_NO_THREAD_SAFETY_ANALYSIS {
      mm_.Lock();
      vma_.StartWrite(mm_);
      mm_.Unlock();
    });
    while (vma_.LoadWord() < Vma::Values::kFlag) std::this_thread::yield();
    ask();
    vma_.EndRead();
    writer.join();
  }

  void WriteLocked(const std::function<void()>& ask) JACQUARD_NO_THREAD_SAFETY_ANALYSIS {
    mm_.Lock();
    vma_.StartWrite(mm_);
    ask();
    mm_.Unlock();
  }

  // A temporary reader is there until `ask` has been called.
  void Detaching(const std::function<void()>& ask) JACQUARD_NO_THREAD_SAFETY_ANALYSIS {
    std::atomic<bool> asked{false};
    std::atomic<bool> counted_in{false};
    std::atomic<bool> locked{false};
    mm_.Lock();
    // What it does to the word is what a reader does that passed the early check before the writer
    // stored the number.
    std::thread reader([&]() JACQUARD_NO_THREAD_SAFETY_ANALYSIS {
      while (!locked) std::this_thread::yield();
      EXPECT_TRUE(vma_.StartReadLocked(mm_));
      counted_in = true;
      while (!asked) std::this_thread::yield();
      vma_.EndRead();
    });
    vma_.StartWrite(mm_);
    locked = true;
    while (!counted_in) std::this_thread::yield();
    on_vma_acquire = [&](AcquireMode) {
      EXPECT_EQ(vma_.LoadWord(), Vma::Values::kWriterTarget);  // FLAG and the temporary reader
      ask();
      asked = true;
    };
    vma_.MarkDetached(mm_);
    on_vma_acquire = nullptr;
    mm_.Unlock();
    reader.join();
  }

  void Detached(const std::function<void()>& ask) JACQUARD_NO_THREAD_SAFETY_ANALYSIS {
    mm_.Lock();
    vma_.StartWrite(mm_);
    vma_.MarkDetached(mm_);
    ask();
    mm_.Unlock();
  }

  // The answers, asked by the thread that is in the situation, or by another one.
  std::string Answers(Make make, bool me) {
    (this->*make)([this, me] {
      if (me) {
        Ask();
      } else {
        std::thread([this] { Ask(); }).join();
      }
    });
    return answer_;
  }

 private:
  Mm mm_;
  Vma vma_{mm_};
  std::string answer_;
};

struct Case {
  const char* name;
  Situation<Books>::Make books;
  Situation<NoBooks>::Make no_books;
  Row me;
  Row other;
};

#define MAKE(name) #name, &Situation<Books>::name, &Situation<NoBooks>::name

// In this order: locked, write-locked, stabilised, attached, detached, can modify.
const Case kCases[] = {
    {MAKE(Reader), {"tfttff", "pfppff", "pfppff"}, {"ffftff", "fffpff", "nfnpff"}},
    // Nobody asks in the middle of StartRead: the first and the third are named in the header.
    {MAKE(TemporaryReader), {"ffftff", "nfnpff", "nfnpff"}, {"ffftff", "fffpff", "nfnpff"}},
    // Nor in the middle of StartWrite. Stabilised it is: the caller has the mm's lock.
    {MAKE(DrainingWriter), {"ffttff", "nfppff", "nfppff"}, {"ffftff", "fffpff", "nfnpff"}},
    {MAKE(ReaderUnderDrainingWriter),
     {"tfttff", "pfppff", "pfppff"},
     {"ffftff", "fffpff", "nfnpff"}},
    {MAKE(WriteLocked), {"ttttft", "ppppfp", "ppppfp"}, {"ffftff", "fffpff", "nnnpfn"}},
    // Attached it is no more, the tree has let go; but not detached either.
    {MAKE(Detaching), {"tttfft", "pppnfp", "pppnfp"}, {"ffffff", "fffnff", "nnnnfn"}},
    {MAKE(Detached), {"tttftt", "pppfpp", "pppfpp"}, {"fffftt", "ffffpp", "nnnfpp"}},
};

#undef MAKE

// What is written down of a situation is not at odds with itself.
void CheckRow(const Row& row) {
  for (const std::string answers : {row.books, row.no_books}) {
    ASSERT_EQ(answers.size(), 6u);
    for (int i = 0; i < 6; ++i) {
      const bool should_pass = row.truth[i] == 't';
      EXPECT_EQ(should_pass, answers[i] == 'p') << answers << " " << i;
    }
  }
}

std::string Seen(std::string answers) {
  for (char& letter : answers) {
    if (letter == 'n') letter = 'p';
  }
  return answers;
}

TEST(VmaAssertions, AnswerAsTheTableSays) {
  for (const Case& c : kCases) {
    for (const bool me : {true, false}) {
      SCOPED_TRACE(std::string(c.name) + (me ? ", me" : ", another thread"));
      const Row& row = me ? c.me : c.other;
      CheckRow(row);
      EXPECT_EQ(Situation<Books>().Answers(c.books, me), Seen(row.books));
      EXPECT_EQ(Situation<NoBooks>().Answers(c.no_books, me), Seen(row.no_books));
    }
  }
}

// A validator that has reported and stopped answers "unknown": what asks it is silent.
TEST(VmaAssertions, AreSilentOnceTheValidatorHasStopped) {
  Situation<Books> situation;
  RecordingValidator::off = true;
  const std::string answers = situation.Answers(&Situation<Books>::Reader, /*me=*/false);
  RecordingValidator::off = false;
  EXPECT_EQ(answers, "ppppfp");
}

TEST(VmaAssertionsDeathTest, Abort) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  MmapLock mm;
  VmaLock vma(mm);
  EXPECT_DEATH(vma.AssertLocked(mm), "VMA not locked");
  EXPECT_DEATH(vma.AssertWriteLocked(mm), "VMA not write-locked");
  EXPECT_DEATH(vma.AssertStabilised(mm), "VMA not stabilised");
  EXPECT_DEATH(vma.AssertAttached(), "VMA not attached");
  vma.AssertDetached();
  vma.AssertCanModify(mm);
  mm.Lock();
  vma.StartWrite(mm);
  vma.MarkAttached(mm);
  vma.AssertLocked(mm);
  vma.AssertStabilised(mm);
  vma.AssertAttached();
  EXPECT_DEATH(vma.AssertDetached(), "VMA not detached");
  mm.Unlock();
  EXPECT_DEATH(vma.AssertCanModify(mm), "VMA changed");
  mm.Lock();
  vma.StartWrite(mm);
  vma.MarkDetached(mm);
  mm.Unlock();
}

}  // namespace
}  // namespace jacquard::lock
