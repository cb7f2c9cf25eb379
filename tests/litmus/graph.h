// An execution graph, and the axioms of RC11.
//
// Lahav, Vafeiadis, Kang, Hur, Dreyer, "Repairing Sequential Consistency in C/C++11", PLDI 2017;
// release sequences as in C++20: chains of read-modify-writes, without later stores of the same
// thread. A read-modify-write is two events here, as in the paper.
#ifndef JACQUARD_TESTS_LITMUS_GRAPH_H_
#define JACQUARD_TESTS_LITMUS_GRAPH_H_

#include <cstdint>
#include <vector>

#include "sim/step.h"
#include "tests/litmus/relation.h"

namespace jacquard::litmus {

struct Event {
  enum class Kind : uint8_t { kRead, kWrite, kFence };

  int thread = -1;  // -1: the initial value of its location
  Kind kind = Kind::kWrite;
  bool plain = false;
  MemoryOrder order = MemoryOrder::kRelaxed;
  int location = -1;          // -1 for a fence
  int64_t value = 0;          // read or written
  int reads_from = -1;        // of a read: the event number of the write
  bool follows_read = false;  // the write of a read-modify-write: its read is the event before it
};

class Graph {
 public:
  // Begins with one write per location.
  explicit Graph(const std::vector<int64_t>& initial);

  // The number of the new event.
  int Add(const Event& event);
  // The same, for a write: it goes to `position` of its location's modification order.
  int AddWrite(const Event& event, int position);

  const std::vector<Event>& events() const { return events_; }
  // A location's writes in modification order.
  const std::vector<int>& order_of(int location) const { return modification_order_[location]; }

  // Whether all axioms hold (no-thin-air holds by construction).
  bool IsConsistent() const;
  // Whether two plain accesses that conflict are not ordered by happens-before. (A location is only
  // atomic or only plain.)
  bool HasRace() const;

 private:
  Relation HappensBefore() const;
  EventSet Where(auto condition) const;

  std::vector<Event> events_;
  std::vector<std::vector<int>> modification_order_;
};

}  // namespace jacquard::litmus

#endif  // JACQUARD_TESTS_LITMUS_GRAPH_H_
