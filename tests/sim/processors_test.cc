// On which processors threads may run, and how they are told so.
#include <errno.h>
#include <gtest/gtest.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "sim/runtime.h"
#include "tests/sim/searches.h"

namespace jacquard {
namespace {

cpu_set_t OfProcess() {
  cpu_set_t set = {};
  EXPECT_EQ(sched_getaffinity(0, sizeof(set), &set), 0);
  return set;
}

int LastOf(const cpu_set_t& set) {
  int last = -1;
  for (int processor = 0; processor < CPU_SETSIZE; ++processor) {
    if (CPU_ISSET(processor, &set)) last = processor;
  }
  return last;
}

cpu_set_t Only(int processor) {
  cpu_set_t set = {};
  CPU_SET(processor, &set);
  return set;
}

bool IsSet(pthread_t thread, const cpu_set_t& expected) {
  cpu_set_t set;
  return pthread_getaffinity_np(thread, sizeof(set), &set) == 0 && CPU_EQUAL(&set, &expected);
}

TEST(Processors, ThreadsHaveSetsOfTheirOwn) {
  const cpu_set_t all = OfProcess();
  const int last = LastOf(all);
  const cpu_set_t one = Only(last);
  ExpectPass(Walk([&] {
    std::atomic<bool> done{false};
    std::thread pinned([&] {
      Check(sched_setaffinity(0, sizeof(one), &one) == 0, "pinned");
      for (int i = 0; i < 3; ++i) Check(sched_getcpu() == last, "it runs there");
      Check(IsSet(pthread_self(), one), "and is told so");
      std::thread child([&] { Check(IsSet(pthread_self(), one), "inherited"); });
      child.join();
      done = true;
      done.wait(true);
    });
    Check(IsSet(pthread_self(), all), "not the others");
    while (!done) std::this_thread::yield();
    Check(IsSet(pinned.native_handle(), one), "seen by others");
    Check(pthread_setaffinity_np(pinned.native_handle(), sizeof(all), &all) == 0, "and changed");
    Check(IsSet(pinned.native_handle(), all), "that, too");
    done = false;
    done.notify_one();
    pinned.join();
  }));
  const cpu_set_t after = OfProcess();
  EXPECT_TRUE(CPU_EQUAL(&after, &all)) << "the process stays where it was";
}

TEST(Processors, AttributesOfThreadsNameThem) {
  const cpu_set_t one = Only(LastOf(OfProcess()));
  ExpectPass(Walk([&] {
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setaffinity_np(&attributes, sizeof(one), &one);
    pthread_t thread;
    const auto check = [](void* set) -> void* {
      Check(IsSet(pthread_self(), *static_cast<const cpu_set_t*>(set)), "as it was asked for");
      return nullptr;
    };
    Check(pthread_create(&thread, &attributes, check, const_cast<cpu_set_t*>(&one)) == 0, "made");
    pthread_join(thread, nullptr);
    const cpu_set_t none = {};
    pthread_attr_setaffinity_np(&attributes, sizeof(none), &none);
    Check(pthread_create(&thread, &attributes, check, nullptr) == EINVAL, "nowhere");
    pthread_attr_destroy(&attributes);
  }));
}

TEST(Processors, SetsMustHaveOneThatIsThere) {
  ExpectPass(Walk([] {
    const cpu_set_t none = {};
    Check(sched_setaffinity(0, sizeof(none), &none) == -1 && errno == EINVAL, "none");
    Check(pthread_setaffinity_np(pthread_self(), sizeof(none), &none) == EINVAL, "none, too");
    cpu_set_t set;
    Check(sched_getaffinity(0, 1, &set) == -1 && errno == EINVAL, "too small");
    TakeStep();
  }));
}

TEST(Processors, ThreadsHaveNumbersForTheKernel) {
  const cpu_set_t all = OfProcess();
  ExpectPass(Walk([&] {
    const auto ask = [&] {
      const pid_t me = gettid();
      cpu_set_t set = {};
      Check(sched_getaffinity(me, sizeof(set), &set) == 0 && CPU_EQUAL(&set, &all), "by number");
      Check(syscall(SYS_sched_getaffinity, me, sizeof(set), &set) > 0, "by system call");
      sched_param parameters;
      Check(sched_getparam(me, &parameters) == 0, "parameters");
      Check(sched_getscheduler(me) == sched_getscheduler(0), "policy");
      Check(getpriority(PRIO_PROCESS, static_cast<id_t>(me)) == getpriority(PRIO_PROCESS, 0),
            "priority");
      Check(syscall(SYS_tgkill, getpid(), me, 0) == 0, "it is there");
      TakeStep();
    };
    std::thread other(ask);
    ask();
    other.join();
  }));
}

}  // namespace
}  // namespace jacquard
