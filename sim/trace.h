// A trace: what happened in one execution, event by event. Recorded only when asked for, by
// executing again.
#ifndef JACQUARD_SIM_TRACE_H_
#define JACQUARD_SIM_TRACE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "sim/step.h"
#include "sim/strategy.h"

namespace jacquard {

struct TraceEvent {
  enum class Type : uint8_t {
    kStep,            // a visible operation
    kOperationBegin,  // a named operation of the harness begins; `text` is its name with its
                      // arguments
    kOperationEnd,    // and ends; `text` is its result, if the harness gave one
    kBlocked,         // the thread cannot go on; `text` says on what
    kNote,            // the harness said something: `text`
  };
  Type type = Type::kStep;
  uint64_t index = 0;  // position in the trace
  Step step;           // thread and operation are set for every type
  std::string name;    // what the harness calls step.address ("vma0.refcount"); empty if it has no
                       // name for it
  std::string old_text;  // the values as the harness reads them ("1 reader"); empty if it has no
                         // words for them
  std::string new_text;
  std::string text;
  // What the thread holds after the event, in words: its locks, oldest first, and what the harness
  // says.
  std::vector<std::string> held;
  uintptr_t pc = 0;  // the instruction after the call into the runtime
  std::vector<uintptr_t>
      stack;                // call sites of the enclosing functions, innermost first, without `pc`
  ThreadSet enabled = 0;    // who could have run instead, the thread included
  int64_t reads_from = -1;  // index of the event whose store was read; -1: the initial value
  // The pick that led here: choice 0 is the benign one.
  PickKind pick = PickKind::kSchedule;
  int alternatives = 0;  // 0: nothing was left to chance
  int choice = 0;
};

// Another place in the execution that a verdict is about: where the memory was allocated, say.
struct TracePlace {
  std::string what;   // "allocated", "freed"
  int thread = -1;    // -1: the harness, before or after the threads
  uint64_t step = 0;  // how many steps had been taken
  uintptr_t pc = 0;
  std::vector<uintptr_t> stack;  // as of an event
};

struct Trace {
  // Set before: of an execution whose verdict is `endless`. It stops where that has been shown for
  // long enough.
  bool endless = false;

  std::vector<TraceEvent> events;
  std::vector<TracePlace> places;
  int threads = 0;              // how many threads took part
  uint64_t plain_accesses = 0;  // of the code under test, as far as it was built with the hooks

  // A hash over everything that must be equal in a replay (addresses and program counters
  // included).
  uint64_t Fingerprint() const;
};

}  // namespace jacquard

#endif  // JACQUARD_SIM_TRACE_H_
