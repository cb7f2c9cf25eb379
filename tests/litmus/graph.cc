#include "tests/litmus/graph.h"

#include <stdexcept>

namespace jacquard::litmus {
namespace {

using Kind = Event::Kind;

bool IsAcquire(const Event& event) {
  return event.order == MemoryOrder::kConsume || event.order == MemoryOrder::kAcquire ||
         event.order >= MemoryOrder::kAcqRel;
}
bool IsRelease(const Event& event) { return event.order >= MemoryOrder::kRelease; }
bool IsSeqCst(const Event& event) { return event.order == MemoryOrder::kSeqCst; }

}  // namespace

Graph::Graph(const std::vector<int64_t>& initial) : modification_order_(initial.size()) {
  for (size_t location = 0; location < initial.size(); ++location) {
    Event event;
    event.location = static_cast<int>(location);
    event.value = initial[location];
    AddWrite(event, 0);
  }
}

int Graph::Add(const Event& event) {
  if (events_.size() == 64) throw std::runtime_error("more than 64 events");
  events_.push_back(event);
  return static_cast<int>(events_.size()) - 1;
}

int Graph::AddWrite(const Event& event, int position) {
  const int number = Add(event);
  auto& order = modification_order_[event.location];
  order.insert(order.begin() + position, number);
  return number;
}

EventSet Graph::Where(auto condition) const {
  EventSet result = 0;
  for (size_t i = 0; i < events_.size(); ++i) {
    if (condition(events_[i])) result |= EventSet{1} << i;
  }
  return result;
}

// Program order; initial writes come before everything of every thread.
static Relation ProgramOrder(const std::vector<Event>& events) {
  const int n = static_cast<int>(events.size());
  Relation po(n);
  for (int a = 0; a < n; ++a) {
    for (int b = a + 1; b < n; ++b) {
      const bool initial = events[a].thread < 0 && events[b].thread >= 0;
      if (initial || (events[a].thread == events[b].thread && events[a].thread >= 0)) po.Add(a, b);
    }
  }
  return po;
}

static Relation ReadsFrom(const std::vector<Event>& events) {
  Relation rf(static_cast<int>(events.size()));
  for (size_t i = 0; i < events.size(); ++i) {
    if (events[i].reads_from >= 0) rf.Add(events[i].reads_from, static_cast<int>(i));
  }
  return rf;
}

Relation Graph::HappensBefore() const {
  const int n = static_cast<int>(events_.size());
  const Relation po = ProgramOrder(events_);
  const Relation rf = ReadsFrom(events_);
  Relation rmw(n);
  for (int i = 0; i < n; ++i) {
    if (events_[i].follows_read) rmw.Add(i - 1, i);
  }
  const EventSet fences = Where([](const Event& e) { return e.kind == Kind::kFence; });
  const EventSet writes =
      Where([](const Event& e) { return e.kind == Kind::kWrite && !e.plain && e.thread >= 0; });
  const EventSet reads = Where([](const Event& e) { return e.kind == Kind::kRead && !e.plain; });
  const EventSet releases =
      Where([](const Event& e) { return IsRelease(e) && e.kind != Kind::kRead; });
  const EventSet acquires =
      Where([](const Event& e) { return IsAcquire(e) && e.kind != Kind::kWrite; });

  // rs = [W]; (rf; rmw)*
  const Relation sequence =
      Relation::Identity(n, writes).Then(rf.Then(rmw).Closure().OrSame()).Between(writes, writes);
  // sw = [release]; ([F]; po)?; rs; rf; [R]; (po; [F])?; [acquire]
  const Relation before = po.Between(fences, writes).OrSame();
  const Relation after = po.Between(reads, fences).OrSame();
  const Relation synchronizes =
      before.Then(sequence).Then(rf.Between(writes, reads)).Then(after).Between(releases, acquires);
  return (po | synchronizes).Closure();
}

bool Graph::IsConsistent() const {
  const int n = static_cast<int>(events_.size());
  const Relation po = ProgramOrder(events_);
  const Relation rf = ReadsFrom(events_);
  const Relation hb = HappensBefore();
  Relation mo(n);
  for (const auto& order : modification_order_) {
    for (size_t i = 0; i < order.size(); ++i) {
      for (size_t j = i + 1; j < order.size(); ++j) mo.Add(order[i], order[j]);
    }
  }
  const Relation rb = rf.Inverse().Then(mo);
  const Relation eco = (rf | mo | rb).Closure();

  // Coherence: hb; eco? is irreflexive.
  if (!hb.Then(eco.OrSame()).IsIrreflexive()) return false;

  // Atomicity: nothing between a read-modify-write and what it reads.
  const Relation between = rb.Then(mo);
  for (int i = 0; i < n; ++i) {
    if (events_[i].follows_read && between.Has(i - 1, i)) return false;
    if (events_[i].follows_read && !rb.Has(i - 1, i)) return false;
  }

  // SC: psc is acyclic.
  Relation po_elsewhere(n);  // program order between different locations
  Relation hb_same(n);       // happens-before on the same location
  for (int a = 0; a < n; ++a) {
    for (int b = 0; b < n; ++b) {
      const bool same = events_[a].location == events_[b].location && events_[a].location >= 0;
      if (!same && po.Has(a, b)) po_elsewhere.Add(a, b);
      if (same && hb.Has(a, b)) hb_same.Add(a, b);
    }
  }
  const EventSet sc = Where([](const Event& e) { return IsSeqCst(e); });
  const EventSet sc_fences =
      Where([](const Event& e) { return IsSeqCst(e) && e.kind == Kind::kFence; });
  const EventSet all = ~EventSet{0};
  const Relation scb = po | po_elsewhere.Then(hb).Then(po_elsewhere) | hb_same | mo | rb;
  const Relation is_sc = Relation::Identity(n, sc);
  const Relation left = is_sc | hb.OrSame().Between(sc_fences, all);
  const Relation right = is_sc | hb.OrSame().Between(all, sc_fences);
  const Relation psc_base = left.Then(scb).Then(right);
  const Relation psc_fences = (hb | hb.Then(eco).Then(hb)).Between(sc_fences, sc_fences);
  return (psc_base | psc_fences).IsAcyclic();
}

bool Graph::HasRace() const {
  const Relation hb = HappensBefore();
  const int n = static_cast<int>(events_.size());
  for (int a = 0; a < n; ++a) {
    for (int b = a + 1; b < n; ++b) {
      const Event& first = events_[a];
      const Event& second = events_[b];
      if (first.location != second.location || !(first.plain || second.plain)) continue;
      if (first.kind != Kind::kWrite && second.kind != Kind::kWrite) continue;
      if (!hb.Has(a, b) && !hb.Has(b, a)) return true;
    }
  }
  return false;
}

}  // namespace jacquard::litmus
