// Binary relations over at most 64 events, as rows of bits.
#ifndef JACQUARD_TESTS_LITMUS_RELATION_H_
#define JACQUARD_TESTS_LITMUS_RELATION_H_

#include <array>
#include <bit>
#include <cstdint>

namespace jacquard::litmus {

// A set of events.
using EventSet = uint64_t;

class Relation {
 public:
  explicit Relation(int events) : events_(events) {}

  static Relation Identity(int events, EventSet on) {
    Relation result(events);
    for (int i = 0; i < events; ++i) result.rows_[i] = on & (EventSet{1} << i);
    return result;
  }

  void Add(int from, int to) { rows_[from] |= EventSet{1} << to; }
  bool Has(int from, int to) const { return (rows_[from] >> to & 1) != 0; }
  EventSet From(int from) const { return rows_[from]; }

  // Union.
  Relation operator|(const Relation& other) const {
    Relation result = *this;
    for (int i = 0; i < events_; ++i) result.rows_[i] |= other.rows_[i];
    return result;
  }

  // Composition: first this one, then `next`.
  Relation Then(const Relation& next) const {
    Relation result(events_);
    for (int i = 0; i < events_; ++i) {
      for (EventSet to = rows_[i]; to != 0; to &= to - 1) {
        result.rows_[i] |= next.rows_[std::countr_zero(to)];
      }
    }
    return result;
  }

  // With the identity on all events: R?.
  Relation OrSame() const { return *this | Identity(events_, ~EventSet{0}); }

  // Only pairs that begin in `from` and end in `to`.
  Relation Between(EventSet from, EventSet to) const {
    Relation result(events_);
    for (int i = 0; i < events_; ++i) {
      if ((from >> i & 1) != 0) result.rows_[i] = rows_[i] & to;
    }
    return result;
  }

  Relation Inverse() const {
    Relation result(events_);
    for (int i = 0; i < events_; ++i) {
      for (EventSet to = rows_[i]; to != 0; to &= to - 1) result.Add(std::countr_zero(to), i);
    }
    return result;
  }

  // Transitive closure: R+.
  Relation Closure() const {
    Relation result = *this;
    for (int k = 0; k < events_; ++k) {
      for (int i = 0; i < events_; ++i) {
        if (result.Has(i, k)) result.rows_[i] |= result.rows_[k];
      }
    }
    return result;
  }

  bool IsIrreflexive() const {
    for (int i = 0; i < events_; ++i) {
      if (Has(i, i)) return false;
    }
    return true;
  }
  bool IsAcyclic() const { return Closure().IsIrreflexive(); }

 private:
  int events_;
  std::array<EventSet, 64> rows_ = {};
};

}  // namespace jacquard::litmus

#endif  // JACQUARD_TESTS_LITMUS_RELATION_H_
