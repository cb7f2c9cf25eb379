// Streams that threads lock by themselves.
#include <gtest/gtest.h>
#include <sched.h>

#include <atomic>
#include <cstdio>
#include <mutex>
#include <thread>

#include "sim/runtime.h"
#include "tests/sim/searches.h"

namespace jacquard {
namespace {

TEST(Streams, AreLockedByOneThreadAtATime) {
  const auto body = [](auto lock, auto unlock) {
    return [=] {
      int value = 0;
      std::atomic<int> inside = 0;
      const auto work = [&] {
        lock(stderr);
        Check(inside.fetch_add(1) == 0, "alone");
        std::fputs("", stderr);
        sched_yield();
        lock(stderr);  // once more
        ++value;
        unlock(stderr);
        Check(inside.fetch_sub(1) == 1, "still alone");
        unlock(stderr);
      };
      std::thread a(work), b(work);
      a.join();
      b.join();
      Check(value == 2, "both");
    };
  };
  ExpectPass(Walk(body(flockfile, funlockfile)));
  ExpectPass(Walk(body(
      [](FILE* stream) {
        while (ftrylockfile(stream) != 0) {
        }
      },
      funlockfile)));
}

// Printing does not wait for who has the stream locked.
TEST(Streams, ArePrintedToWhileTheyAreLocked) {
  ExpectPass(Walk([] {
    std::atomic<bool> printed = false;
    std::thread other([&] {
      while (!printed) sched_yield();
    });
    flockfile(stderr);
    std::thread printer([&] {
      std::fputs("", stderr);
      printed = true;
    });
    other.join();
    funlockfile(stderr);
    printer.join();
  }));
}

TEST(Streams, AreLocksToTheOracles) {
  ExpectVerdict(
      [] {
        std::mutex mutex;
        std::thread other([&] {
          const std::lock_guard lock(mutex);
          flockfile(stdout);
          funlockfile(stdout);
        });
        flockfile(stdout);
        mutex.lock();
        mutex.unlock();
        funlockfile(stdout);
        other.join();
      },
      "deadlock|threads wait for each other");
  ExpectVerdict(
      [] {
        TakeStep();
        funlockfile(stdout);
      },
      "misuse|unlock of a stream by a thread that has not locked it");
  // So does who closes it: the next one may have its address.
  ExpectPass(Walk(
      [] {
        TakeStep();
        for (int i = 0; i < 3; ++i) {
          FILE* const stream = tmpfile();
          std::thread([stream] {
            flockfile(stream);
            funlockfile(stream);
          }).join();
          flockfile(stream);
          std::fclose(stream);
        }
      },
      3));
  // Who is given up with it leaves it free.
  ExpectPass(Walk(
      [] {
        flockfile(stdout);
        TakeStep();
      },
      3));
}

}  // namespace
}  // namespace jacquard
