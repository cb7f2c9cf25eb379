// The leaderboard's programs: planted bugs that the literature compares searches by, each with a
// twin without the bug.
//
// Written from the descriptions of SCTBench (Thomson, Donaldson and Betts, "Concurrency testing
// using controlled schedulers", TOPC 2016) and of its sources. What threads share is atomic or
// guarded by a lock, so that it is the order of steps that is wrong, and no data race gives it
// away.
#ifndef JACQUARD_TESTS_LEADERBOARD_PROGRAMS_H_
#define JACQUARD_TESTS_LEADERBOARD_PROGRAMS_H_

#include <span>

namespace jacquard::leaderboard {

struct BuggyProgram {
  const char* name;
  const char* bug;      // in a sentence
  const char* finding;  // the kind of its verdict
  // So many preemptions the bug needs: a thread that could go on is interrupted. They are enough.
  int preemptions;
  void (*broken)();
  void (*correct)();
};

std::span<const BuggyProgram> BuggyPrograms();

// Null if there is none of that name.
const BuggyProgram* FindProgram(const char* name);

}  // namespace jacquard::leaderboard

#endif  // JACQUARD_TESTS_LEADERBOARD_PROGRAMS_H_
