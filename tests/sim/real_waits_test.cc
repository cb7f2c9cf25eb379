// Waits for what the simulation does not have: refused at once, unless there is nothing to wait
// for.
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/select.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <string>
#include <vector>

#include "sim/runtime.h"
#include "tests/sim/searches.h"

namespace jacquard {
namespace {

TEST(RealWaits, AreRefusedAtOnce) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  const int input = ends[0];
  const std::vector<std::function<void()>> bodies = {
      [] { fork(); },
      [] { pause(); },
      [] {
        sigset_t set;
        sigemptyset(&set);
        int signal;
        sigwait(&set, &signal);
      },
      [input] {
        char byte;
        (void)!read(input, &byte, 1);
      },
      [input] {
        pollfd one = {.fd = input, .events = POLLIN, .revents = 0};
        poll(&one, 1, -1);
      },
      [input] {
        fd_set set;
        FD_ZERO(&set);
        FD_SET(input, &set);
        select(input + 1, &set, nullptr, nullptr, nullptr);
      },
  };
  for (const std::function<void()>& body : bodies) {
    const ExploreResult result = Walk([&body] {
      std::atomic<int>(0).store(1);
      body();
    });
    EXPECT_EQ(result.verdict.kind, VerdictKind::kUnsupported) << result.verdict.message;
  }
  close(ends[0]);
  close(ends[1]);
}

TEST(RealWaits, WhatIsThereIsRead) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  const ExploreResult result = Walk([&] {
    timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);  // a step
    const char out = 'x';
    char in = 0;
    Check(write(ends[1], &out, 1) == 1, "written");
    pollfd one = {.fd = ends[0], .events = POLLIN, .revents = 0};
    Check(poll(&one, 1, -1) == 1, "there is something");
    Check(read(ends[0], &in, 1) == 1 && in == 'x', "read");
    Check(poll(&one, 1, 0) == 0, "nothing more");
  });
  EXPECT_TRUE(result.verdict.passed()) << result.verdict.message;
  close(ends[0]);
  close(ends[1]);
}

TEST(RealWaits, OfNoFileIsASleep) {
  const ExploreResult result = Walk([] {
    timespec before, after;
    clock_gettime(CLOCK_MONOTONIC, &before);
    Check(poll(nullptr, 0, 3'600'000) == 0, "slept");
    timeval hour = {3600, 0};
    Check(select(0, nullptr, nullptr, nullptr, &hour) == 0, "slept");
    clock_gettime(CLOCK_MONOTONIC, &after);
    Check(after.tv_sec - before.tv_sec >= 7200, "for so long");
  });
  EXPECT_TRUE(result.verdict.passed()) << result.verdict.message;
}

}  // namespace
}  // namespace jacquard
