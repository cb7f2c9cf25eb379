// A verdict: what the oracles say of one execution.
#ifndef JACQUARD_SIM_VERDICT_H_
#define JACQUARD_SIM_VERDICT_H_

#include <cstdint>
#include <string>

namespace jacquard {

enum class VerdictKind : uint8_t {
  kPass,
  kInvariant,    // a check of the harness failed after a step
  kFinal,        // a check of the harness failed at the end
  kDeadlock,     // no thread can ever get on again
  kLivelock,     // did not end although every thread got its turn
  kHeapError,    // an access to heap memory that is not there, or a wrong way to free
  kStackError,   // an access to a function's variables after it has returned, or a thread's after
                 // its end
  kLeak,         // heap memory that was never freed, and cannot be any more
  kRace,         // two accesses, one of them plain, that nothing orders
  kMisuse,       // a lock or thread function was called against its contract
  kAbort,        // abort(), a failed assert(), std::terminate()
  kException,    // an exception left a thread
  kExpectation,  // an EXPECT_ or ASSERT_ of the test framework failed
  kCrash,        // a segmentation fault, a division by zero, an illegal instruction
  kExit,         // the program ended itself where it must not, or with a status that is a failure
  kNondeterministic,  // repeated with the same choices, the execution went another way
  kLockOrder,    // no deadlock, but it would be one had each thread been stopped between two locks
  kThreadLeft,   // a thread was never joined, or outlives the threads that the execution began with
  kUnsupported,  // the code under test did what the runtime cannot simulate; not a bug of it
};

// The name of a kind as reports and signatures print it ("invariant", "deadlock", ...). Never null.
const char* VerdictKindName(VerdictKind kind);

struct Verdict {
  VerdictKind kind = VerdictKind::kPass;
  // One sentence for a person: what was violated, with the values involved.
  std::string message;
  // By what duplicates are recognised: kind, rule or object, operations involved. No line numbers,
  // no addresses.
  std::string signature;
  int thread = -1;    // whose step it was; -1 where no single thread is to blame
  uint64_t step = 0;  // how many steps had been taken
  // Threads went on for ever; a trace shows as much of that as anybody wants to see.
  bool endless = false;
  // Nobody could run, but for a thread that waits for what is outside of the program.
  bool waits_for_outside = false;

  // No thread is to blame, but that none of them gets on: each matters.
  bool is_of_all() const {
    return kind == VerdictKind::kDeadlock || kind == VerdictKind::kLivelock || waits_for_outside;
  }

  bool passed() const { return kind == VerdictKind::kPass; }
};

}  // namespace jacquard

#endif  // JACQUARD_SIM_VERDICT_H_
