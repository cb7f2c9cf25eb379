#include "tests/litmus/reference.h"

#include <string>
#include <unordered_set>
#include <utility>

#include "tests/litmus/graph.h"

namespace jacquard::litmus {
namespace {

using Kind = Event::Kind;

MemoryOrder OrderOfRead(MemoryOrder order) {
  if (order == MemoryOrder::kRelease) return MemoryOrder::kRelaxed;
  if (order == MemoryOrder::kAcqRel) return MemoryOrder::kAcquire;
  return order;
}

MemoryOrder OrderOfWrite(MemoryOrder order) {
  if (order == MemoryOrder::kAcquire || order == MemoryOrder::kConsume) {
    return MemoryOrder::kRelaxed;
  }
  if (order == MemoryOrder::kAcqRel) return MemoryOrder::kRelease;
  return order;
}

struct ThreadState {
  int pc = 0;
  Outcome registers;
  std::vector<int64_t> reads;  // every value read, for telling graphs apart
  std::string identity;        // which event reads from which, independent of the order of growth
};

struct State {
  Graph graph;
  std::vector<ThreadState> threads;
  // By event: a name that does not depend on the order of growth.
  std::vector<std::string> names;
};

class Solver {
 public:
  explicit Solver(const Program& program) : program_(program) {}

  ReferenceResult Solve() {
    State start{Graph(program_.initial), {}, {}};
    for (size_t i = 0; i < program_.initial.size(); ++i) {
      start.names.push_back("i" + std::to_string(i));
    }
    for (const int count : program_.registers) {
      start.threads.push_back({0, Outcome(count, kUnwritten), {}, {}});
    }
    Visit(start);
    if (result_.racy) {
      result_.outcomes.clear();
      result_.graphs.clear();
    }
    return result_;
  }

 private:
  // Carries out branches, which are no events.
  const Operation* Next(State& state, int thread) const {
    ThreadState& me = state.threads[thread];
    const auto& operations = program_.threads[thread];
    while (me.pc < static_cast<int>(operations.size())) {
      const Operation& op = operations[me.pc];
      if (op.kind != OperationKind::kBranch) return &op;
      me.pc = me.registers[op.reg] == op.expected ? me.pc + 1 : op.target;
    }
    return nullptr;
  }

  static std::string IdentityOf(const State& state, size_t locations) {
    std::string identity;
    for (const ThreadState& thread : state.threads) identity += thread.identity + "|";
    for (size_t location = 0; location < locations; ++location) {
      for (const int event : state.graph.order_of(static_cast<int>(location))) {
        identity += state.names[event] + ",";
      }
      identity += ";";
    }
    return identity;
  }

  void Visit(State& state) {
    if (result_.racy) return;
    if (!visited_.insert(IdentityOf(state, program_.initial.size())).second) return;
    ++result_.states;
    bool complete = true;
    for (size_t thread = 0; thread < program_.threads.size(); ++thread) {
      const Operation* const op = Next(state, static_cast<int>(thread));
      if (op == nullptr) continue;
      complete = false;
      Extend(state, static_cast<int>(thread), *op);
    }
    if (complete) Finish(state);
  }

  void Finish(const State& state) {
    Outcome outcome;
    for (const Observation& what : program_.observe) {
      if (what.thread >= 0) {
        outcome.push_back(state.threads[what.thread].registers[what.index]);
      } else {
        outcome.push_back(state.graph.events()[state.graph.order_of(what.index).back()].value);
      }
    }
    result_.outcomes.insert(outcome);
    Outcome graph;
    for (const ThreadState& thread : state.threads) {
      graph.insert(graph.end(), thread.reads.begin(), thread.reads.end());
    }
    for (size_t location = 0; location < program_.initial.size(); ++location) {
      for (const int event : state.graph.order_of(static_cast<int>(location))) {
        graph.push_back(state.graph.events()[event].value);
      }
    }
    result_.graphs.insert(graph);
  }

  void Extend(const State& state, int thread, const Operation& op) {
    Event event;
    event.thread = thread;
    event.location = op.location;
    event.order = op.order;
    switch (op.kind) {
      case OperationKind::kFence: {
        State next = state;
        event.kind = Kind::kFence;
        Record(next, next.graph.Add(event), "f");
        Continue(next, thread);
        break;
      }
      case OperationKind::kStore: {
        event.value = op.value;
        const int positions = static_cast<int>(state.graph.order_of(op.location).size());
        for (int position = positions; position > 0; --position) {
          State next = state;
          Record(next, next.graph.AddWrite(event, position), "w");
          Continue(next, thread);
        }
        break;
      }
      case OperationKind::kPlainStore: {
        State next = state;
        event.plain = true;
        event.value = op.value;
        const int last = static_cast<int>(state.graph.order_of(op.location).size());
        Record(next, next.graph.AddWrite(event, last), "w");
        Continue(next, thread);
        break;
      }
      case OperationKind::kPlainLoad:
        event.plain = true;
        Read(state, event, op, state.graph.order_of(op.location).back());
        break;
      default:
        for (const int write : state.graph.order_of(op.location)) {
          ReadOrUpdate(state, event, op, write);
        }
    }
  }

  // An atomic load, read-modify-write or compare-exchange that reads from `write`.
  void ReadOrUpdate(const State& state, const Event& event, const Operation& op, int write) {
    const int64_t old = state.graph.events()[write].value;
    switch (op.kind) {
      case OperationKind::kLoad:
        Read(state, event, op, write);
        break;
      case OperationKind::kExchange:
        Update(state, event, op, write, op.value);
        break;
      case OperationKind::kFetchAdd:
        Update(state, event, op, write, old + op.value);
        break;
      default: {
        Event failure = event;
        failure.order = op.failure;
        if (old != op.expected) {
          Read(state, failure, op, write);
          break;
        }
        Update(state, event, op, write, op.value);
        if (op.kind == OperationKind::kCompareExchangeWeak) Read(state, failure, op, write);
      }
    }
  }

  void Read(const State& state, Event event, const Operation& op, int write) {
    State next = state;
    event.kind = Kind::kRead;
    event.value = state.graph.events()[write].value;
    event.reads_from = write;
    Record(next, next.graph.Add(event), "r" + next.names[write]);
    Written(next, event, op, 0);
    Continue(next, event.thread);
  }

  void Update(const State& state, Event event, const Operation& op, int write, int64_t value) {
    State next = state;
    event.kind = Kind::kRead;
    event.order = OrderOfRead(op.order);
    event.value = state.graph.events()[write].value;
    event.reads_from = write;
    Record(next, next.graph.Add(event), "u" + next.names[write]);
    Written(next, event, op, 1);
    event.kind = Kind::kWrite;
    event.order = OrderOfWrite(op.order);
    event.value = value;
    event.reads_from = -1;
    event.follows_read = true;
    const auto& order = state.graph.order_of(op.location);
    int position = 0;
    while (order[position] != write) ++position;
    Record(next, next.graph.AddWrite(event, position + 1), "w");
    Continue(next, event.thread);
  }

  // Gives registers their values.
  static void Written(State& state, const Event& event, const Operation& op, int ok) {
    ThreadState& me = state.threads[event.thread];
    me.reads.push_back(event.value);
    if (op.kind >= OperationKind::kCompareExchangeStrong &&
        op.kind <= OperationKind::kCompareExchangeWeak) {
      me.reads.push_back(ok);
    }
    if (op.reg >= 0) me.registers[op.reg] = event.value;
    if (op.ok >= 0) me.registers[op.ok] = ok;
  }

  static void Record(State& state, int event, const std::string& what) {
    ThreadState& me = state.threads[state.graph.events()[event].thread];
    const int thread = state.graph.events()[event].thread;
    state.names.push_back(std::to_string(thread) + "." + std::to_string(me.identity.size()));
    me.identity += what + " ";
  }

  void Continue(State& next, int thread) {
    if (!next.graph.IsConsistent()) return;
    if (next.graph.HasRace()) {
      result_.racy = true;
      return;
    }
    ++next.threads[thread].pc;
    Visit(next);
  }

  const Program& program_;
  ReferenceResult result_;
  std::unordered_set<std::string> visited_;
};

}  // namespace

ReferenceResult SolveByAxioms(const Program& program) { return Solver(program).Solve(); }

}  // namespace jacquard::litmus
