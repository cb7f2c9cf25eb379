// What a trace says beside its steps: signals that are sent and handled, and waits that end because
// time has passed.
#include <gtest/gtest.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <thread>

#include "sim/report.h"
#include "sim/runtime.h"
#include "tests/sim/descriptors.h"
#include "tests/sim/searches.h"

namespace jacquard {
namespace {

bool Has(const ExploreResult& result, const std::string& text) {
  return std::ranges::any_of(result.trace.events,
                             [&text](const TraceEvent& event) { return event.text == text; });
}

// Whether `signal` is sent there.
bool IsSent(const ExploreResult& result, uint64_t signal, uint64_t to) {
  return std::ranges::any_of(result.trace.events, [=](const TraceEvent& event) {
    return event.step.kind == StepKind::kSignalSend && event.step.new_value == signal &&
           event.step.old_value == to;
  });
}

TEST(Notes, TellOfSignals) {
  const ExploreResult result = Walk([] {
    signal(SIGUSR1, [](int) { Check(false, "handled"); });
    const pthread_t me = pthread_self();
    std::thread thread([me] { pthread_kill(me, SIGUSR1); });
    TakeStep();
    thread.join();
  });
  EXPECT_EQ(result.verdict.signature, "invariant|handled") << result.verdict.message;
  EXPECT_TRUE(IsSent(result, SIGUSR1, 0));
  EXPECT_TRUE(Has(result, "handles SIGUSR1") ||
              Has(result, "handles SIGUSR1 in the middle of its wait"));
}

TEST(Notes, TellOfThoseForAll) {
  const ExploreResult result = Walk([] {
    signal(SIGUSR2, [](int) {});
    std::thread thread([] { kill(getpid(), SIGUSR2); });
    thread.join();
    Check(false, "always");
  });
  EXPECT_TRUE(IsSent(result, SIGUSR2, kToProcess)) << result.verdict.message;
}

TEST(Notes, TellOfThoseThatNobodyGets) {
  ExecutionOptions options = TestOptions();
  options.time_outs = 0;
  const auto body = [] {
    std::thread thread([] { TakeStep(); });
    usleep(1000);
    pthread_kill(thread.native_handle(), SIGUSR2);
    thread.join();
    Check(false, "always");
  };
  const ExploreResult result = Walk(body, 1, options);
  EXPECT_EQ(result.verdict.signature, "invariant|always") << result.verdict.message;
  EXPECT_TRUE(IsSent(result, SIGUSR2, 1));
  EXPECT_TRUE(Has(result, "thread 1 has ended"));
}

TEST(Notes, TellOfATimeOutAtDescriptors) {
  const ExploreResult result = Walk([] {
    const Pipe pipe;
    std::thread waits([&pipe] {
      pollfd file = {.fd = pipe.ends[0], .events = POLLIN, .revents = 0};
      Check(poll(&file, 1, 1000) == 1, "in time");
    });
    pipe.Write();
    waits.join();
  });
  EXPECT_EQ(result.verdict.signature, "invariant|in time") << result.verdict.message;
  const std::string report = FormatReport(result.verdict, result.trace, {});
  EXPECT_NE(report.find("looks at descriptors: none is ready in time"), std::string::npos)
      << report;
  EXPECT_NE(report.find("the wait of thread 1 times out"), std::string::npos) << report;
}

}  // namespace
}  // namespace jacquard
