// setuid and its like, by one of several threads. Whether they are permitted depends on who runs
// the test: only that they come back, and what they then say, does not.
#include <errno.h>
#include <grp.h>
#include <gtest/gtest.h>
#include <semaphore.h>
#include <unistd.h>

#include <thread>

#include "sim/runtime.h"
#include "tests/sim/searches.h"

namespace jacquard {
namespace {

constexpr auto kUnchanged = static_cast<uid_t>(-1);

// What the calls do besides a thread that waits meanwhile: in its place the C library would wait
// for that to do the same.
void BesideWaitingThread(void (*calls)()) {
  sem_t done;
  sem_init(&done, 0, 0);
  std::thread other([&done] { sem_wait(&done); });
  calls();
  sem_post(&done);
  other.join();
  sem_destroy(&done);
}

// A change to what is so already, or without the right to.
bool IsDoneOrForbidden(int result) { return result == 0 || (result == -1 && errno == EPERM); }

TEST(Identities, ArePutToWhatTheyAre) {
  const ExploreResult result = Walk(
      [] {
        BesideWaitingThread([] {
          const uid_t user = geteuid();
          const gid_t group = getegid();
          Check(setgid(getgid()) == 0 && setuid(getuid()) == 0, "all of them");
          Check(setegid(getegid()) == 0 && seteuid(geteuid()) == 0, "the effective ones");
          Check(setregid(kUnchanged, kUnchanged) == 0, "none of two groups");
          Check(setreuid(kUnchanged, kUnchanged) == 0, "none of two users");
          Check(setresgid(kUnchanged, getegid(), kUnchanged) == 0, "one of three groups");
          Check(setresuid(kUnchanged, geteuid(), kUnchanged) == 0, "one of three users");
          Check(geteuid() == user && getegid() == group, "nothing has changed");
        });
      },
      20);
  EXPECT_EQ(result.verdict.kind, VerdictKind::kPass) << result.verdict.message;
}

TEST(Identities, ThatAreNoneAreRefused) {
  const ExploreResult result = Walk(
      [] {
        BesideWaitingThread([] {
          errno = 0;
          Check(seteuid(kUnchanged) == -1 && errno == EINVAL, "no user");
          errno = 0;
          Check(setegid(kUnchanged) == -1 && errno == EINVAL, "no group");
        });
      },
      20);
  EXPECT_EQ(result.verdict.kind, VerdictKind::kPass) << result.verdict.message;
}

TEST(Identities, GroupsAreSetOrRefused) {
  const ExploreResult result = Walk(
      [] {
        BesideWaitingThread([] {
          gid_t groups[64];
          const int count = getgroups(64, groups);
          Check(count >= 0, "the groups are known");
          Check(IsDoneOrForbidden(setgroups(static_cast<size_t>(count), groups)), "setgroups");
          Check(IsDoneOrForbidden(initgroups("nobody", getegid())), "initgroups");
        });
      },
      20);
  EXPECT_EQ(result.verdict.kind, VerdictKind::kPass) << result.verdict.message;
}

TEST(Identities, OfTheProcessChangeBetweenExecutions) {
  ASSERT_EQ(Walk([] { std::thread([] {}).join(); }, 1).failures, 0u);
  EXPECT_EQ(setegid(getegid()), 0);
}

}  // namespace
}  // namespace jacquard
