#include "examples/unit_tests/seqlock.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "jacquard/jacquard.h"

namespace examples {
namespace {

template <class Lock>
void ReadWhileWriting() {
  Lock lock;
  std::thread writer([&] { lock.Write(1, 1); });
  const auto [first, second] = lock.Read();
  EXPECT_EQ(first, second) << "a torn read";
  writer.join();
}

TEST(Seqlock, NeverTears) { jacquard::ExpectNoBug(ReadWhileWriting<Seqlock>); }

TEST(Seqlock, NeedsTheFence) {
  const jacquard::Result result = jacquard::Explore(ReadWhileWriting<BrokenSeqlock>);
  EXPECT_THAT(result.report(), testing::HasSubstr("a torn read"));
}

}  // namespace
}  // namespace examples
