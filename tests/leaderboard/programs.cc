#include "tests/leaderboard/programs.h"

#include <cstring>

#include "tests/leaderboard/orders.h"
#include "tests/leaderboard/structures.h"
#include "tests/leaderboard/waits.h"

namespace jacquard::leaderboard {
namespace {

template <int kThreads>
constexpr BuggyProgram Reorder(const char* name) {
  return {name,
          "a thread sees the first of two stores without the second",
          "invariant",
          1,
          ReorderBroken<kThreads>,
          ReorderCorrect<kThreads>};
}

template <int kThreads>
constexpr BuggyProgram TwoStages(const char* name) {
  return {name,
          "a reader comes between the two stages of all writers",
          "invariant",
          1,
          TwoStage<kThreads, false>,
          TwoStage<kThreads, true>};
}

constexpr BuggyProgram kPrograms[] = {
    Reorder<3>("reorder_3"),
    Reorder<5>("reorder_5"),
    Reorder<10>("reorder_10"),
    Reorder<20>("reorder_20"),
    Reorder<50>("reorder_50"),
    Reorder<100>("reorder_100"),
    TwoStages<3>("twostage_3"),
    TwoStages<20>("twostage_20"),
    TwoStages<50>("twostage_50"),
    TwoStages<100>("twostage_100"),
    {"safe_stack", "a stack without locks hands out a cell twice (ABA)", "invariant", 5,
     UseStack<SafeStack>, UseStack<LockedStack>},
    {"work_stealing_queue", "owner and thief take the same item", "invariant", 1, StealWork<false>,
     StealWork<true>},
    {"bluetooth", "a driver stops while a request begins", "invariant", 1, Bluetooth<false>,
     Bluetooth<true>},
    {"lazy_initialisation", "an object is used before it is initialised", "invariant", 1,
     LazyInitialisation<false>, LazyInitialisation<true>},
    {"token_ring", "threads hand on a token in any order", "invariant", 0, TokenRing<false>,
     TokenRing<true>},
    {"wrong_lock", "one thread takes another lock than the others", "invariant", 1,
     WrongLock<false>, WrongLock<true>},
    {"two_mutexes", "two locks are taken in both orders", "deadlock", 1, TwoMutexes<false>,
     TwoMutexes<true>},
    {"bounded_buffer", "a wake-up goes to a thread of the wrong kind", "deadlock", 0,
     BoundedBuffer<false>, BoundedBuffer<true>},
    {"quicksort", "a wake-up comes just before the sleep", "deadlock", 3, ParallelQuicksort<false>,
     ParallelQuicksort<true>},
    {"dining_table", "everybody has one fork", "deadlock", 1, DiningTable<false>,
     DiningTable<true>},
};

}  // namespace

std::span<const BuggyProgram> BuggyPrograms() { return kPrograms; }

const BuggyProgram* FindProgram(const char* name) {
  for (const BuggyProgram& program : kPrograms) {
    if (std::strcmp(program.name, name) == 0) return &program;
  }
  return nullptr;
}

}  // namespace jacquard::leaderboard
