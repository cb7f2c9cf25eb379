// Semaphores that threads find by a name.
#include <errno.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <limits.h>
#include <semaphore.h>
#include <unistd.h>

#include <cstdlib>
#include <string>
#include <thread>

#include "sim/execute.h"
#include "sim/runtime.h"
#include "tests/sim/searches.h"

namespace jacquard {
namespace {

constexpr const char* kName = "/jacquard-named-semaphores-test";

sem_t* Make(unsigned value, int flags = O_CREAT | O_EXCL) {
  sem_t* const semaphore = sem_open(kName, flags, 0600, value);
  Check(semaphore != SEM_FAILED, "opened");
  return semaphore;
}

bool FailsWith(int error, const sem_t* result) { return result == SEM_FAILED && errno == error; }
bool FailsWith(int error, int result) { return result == -1 && errno == error; }

TEST(NamedSemaphores, ExcludeThreads) {
  const auto body = [](unsigned value) {
    sem_t* const first = Make(value);
    int data = 0;
    const auto work = [&data] {
      sem_t* const semaphore = sem_open(kName, O_CREAT, 0600, 7);  // it is there: not with 7
      sem_wait(semaphore);
      ++data;
      sem_post(semaphore);
      sem_close(semaphore);
    };
    std::thread one(work);
    std::thread other(work);
    one.join();
    other.join();
    Check(data == 2, "both");
    sem_close(first);
    sem_unlink(kName);
  };
  ExpectPass(Walk([body] { body(1); }));
  if (kTestMemory == MemoryMode::kRc11) ExpectRace([body] { body(2); }, "");
}

TEST(NamedSemaphores, AreThereUntilTheyAreUnlinked) {
  ExpectPass(Walk(
      [] {
        Check(FailsWith(ENOENT, sem_open(kName, 0)),
              "none yet, not from the last execution either");
        sem_t* const one = Make(3);
        Check(FailsWith(EEXIST, sem_open(kName, O_CREAT | O_EXCL, 0600, 1)), "it is there");
        Check(sem_open(kName, 0) == one, "the same");
        sem_wait(one);
        Check(sem_close(one) == 0 && sem_close(one) == 0, "as often as it was opened");
        Check(FailsWith(EINVAL, sem_close(one)), "but not more often");
        sem_t* const again = sem_open(kName, 0);
        int value = 0;
        Check(sem_getvalue(again, &value) == 0 && value == 2, "as it was left");
        Check(sem_unlink(kName) == 0 && FailsWith(ENOENT, sem_unlink(kName)), "once");
        Check(sem_trywait(again) == 0, "whoever has it keeps it");
        sem_t* const other = Make(0);
        Check(other != again, "the name is another one's");
        Check(FailsWith(EAGAIN, sem_trywait(other)), "a new one");
      },
      10));
}

TEST(NamedSemaphores, HaveNames) {
  ExpectPass(Walk(
      [] {
        Check(FailsWith(EINVAL, sem_open("/", O_CREAT, 0600, 0)), "no name");
        Check(FailsWith(EINVAL, sem_open("/a/b", O_CREAT, 0600, 0)), "a folder");
        Check(FailsWith(EINVAL, sem_open(kName, O_CREAT, 0600, SEM_VALUE_MAX + 1U)), "too many");
        const std::string longest = "/" + std::string(NAME_MAX - 4, 'x');
        Check(sem_open(longest.c_str(), O_CREAT, 0600, 0) != SEM_FAILED, "a long one");
        Check(FailsWith(ENAMETOOLONG, sem_open((longest + "x").c_str(), O_CREAT, 0600, 0)),
              "too long");
        Check(FailsWith(ENOENT, sem_unlink("/a/b")), "there is no such name");
      },
      1));
  ExpectPass(Walk(
      [] {
        const sem_t* const semaphore = Make(0);
        Check(NameOfSemaphore(semaphore) == kName, "for reports");
        Check(NameOfSemaphore(semaphore + 1).empty(), "this is none");
      },
      1));
}

TEST(NamedSemaphores, AreGoneWhenTheyAreClosed) {
  ExpectVerdict(
      [] {
        sem_t* const semaphore = Make(1);
        sem_close(semaphore);
        sem_wait(semaphore);
      },
      "misuse|use of a semaphore that has been destroyed");
  ExpectVerdict(
      [] {
        sem_t* const semaphore = Make(0);
        std::thread waits([semaphore] { sem_wait(semaphore); });
        usleep(1);
        sem_close(semaphore);
        waits.join();
      },
      "misuse|semaphore closed while it is waited for");
}

TEST(NamedSemaphores, AreNotFoundWithinOthers) {
  ExpectPass(Walk(
      [] {
        sem_t* const semaphore = Make(1);
        Check(FailsWith(EINVAL, sem_close(reinterpret_cast<sem_t*>(1))), "nowhere near");
        char* const within = reinterpret_cast<char*>(semaphore) + 4;
        Check(FailsWith(EINVAL, sem_close(reinterpret_cast<sem_t*>(within))), "in the middle");
        Check(sem_close(semaphore) == 0, "it is still there");
      },
      1));
}

TEST(NamedSemaphores, AreLimited) {
  const auto make = [](int count) {
    for (int i = 0; i < count; ++i) {
      sem_close(Make(1));
      sem_unlink(kName);
    }
  };
  ExpectPass(Walk([make] { make(256); }, 1));
  ExpectVerdict([make] { make(257); }, "unsupported|sem_open of more than 256 semaphores");
}

// One that another process has made, of which the simulation knows nothing.
TEST(NamedSemaphores, OfOthersAreUnsupported) {
  sem_t* const real = Make(1, O_CREAT);
  const auto body = [] { sem_open(kName, 0); };
  ExpectVerdict(body, "unsupported|sem_open of another process's semaphore");
  EXPECT_EQ(sem_close(real), 0);
  EXPECT_EQ(sem_unlink(kName), 0);
}

}  // namespace
}  // namespace jacquard
