#include "tests/litmus/explore.h"

#include <string>
#include <unordered_set>
#include <vector>

#include "sim/depth_first.h"
#include "sim/random_walk.h"
#include "sim/verdict.h"

namespace jacquard::litmus {
namespace {

// The memory is large, and is told when an execution begins.
sim::Memory& TheMemory() {
  static sim::Memory memory;
  return memory;
}

class Explorer {
 public:
  Explorer(const Program& program, const ExploreOptions& options, bool prune)
      : program_(program), options_(options), prune_(prune), memory_(TheMemory()) {
    result_.pruned = prune;
  }

  ExploreResult Run(Strategy& strategy, uint64_t max_executions) {
    strategy_ = &strategy;
    while (!result_.racy && strategy.BeginExecution()) {
      if (result_.executions == max_executions) {
        result_.complete = false;
        break;
      }
      ++result_.executions;
      Execute();
      last_picks_.swap(picks_);
      strategy.EndExecution(Verdict());
    }
    if (result_.racy) {
      result_.outcomes.clear();
      result_.graphs.clear();
      result_.complete = true;
    }
    return result_;
  }

 private:
  struct ThreadState {
    int pc = 0;
    int events = 0;
    Outcome registers;
    Outcome reads;  // every value read
    std::string identity;
  };

  // Threads of the program come after thread 0 of the memory, which creates and joins them.
  static int IdOf(size_t thread) { return static_cast<int>(thread) + 1; }

  int Choose(PickKind kind, int alternatives, int thread, int first, ThreadSet candidates) {
    const int choice = strategy_->Choose({kind, alternatives, thread, first, candidates, nullptr});
    replaying_ =
        replaying_ && picks_.size() < last_picks_.size() && last_picks_[picks_.size()] == choice;
    picks_.push_back(choice);
    return choice;
  }

  void Execute() {
    memory_.BeginExecution(options_.memory, options_.wide);
    picks_.clear();
    replaying_ = !last_picks_.empty();
    locations_ = program_.initial;
    plain_values_.clear();
    for (const int64_t value : program_.initial) plain_values_.push_back({value});
    threads_.clear();
    for (size_t i = 0; i < program_.threads.size(); ++i) {
      threads_.push_back({0, 0, Outcome(program_.registers[i], kUnwritten), {}, {}});
      memory_.CreateThread(0, IdOf(i));
    }
    int running = 0;
    while (true) {
      ThreadSet enabled = 0;
      for (size_t i = 0; i < threads_.size(); ++i) {
        if (SkipBranches(i)) enabled |= ThreadSet{1} << i;
      }
      if (enabled == 0) break;
      if (prune_ && !replaying_ && !visited_.insert(Identity()).second) return;
      const int thread = PickThread(enabled, running);
      Step(thread);
      running = thread;
      if (memory_.has_race()) {
        result_.racy = true;
        return;
      }
    }
    for (size_t i = 0; i < threads_.size(); ++i) memory_.JoinThread(0, IdOf(i));
    Finish();
  }

  int PickThread(ThreadSet enabled, int running) {
    int first = running;
    if ((enabled >> running & 1) == 0) first = FirstOf(enabled);
    const int count = CountOf(enabled);
    if (count == 1) return first;
    const Pick pick{PickKind::kSchedule, count, running, first, enabled, nullptr};
    return ThreadOfChoice(pick, Choose(pick.kind, count, running, first, enabled));
  }

  // False: the thread has come to its end.
  bool SkipBranches(size_t thread) {
    ThreadState& me = threads_[thread];
    const auto& operations = program_.threads[thread];
    while (me.pc < static_cast<int>(operations.size())) {
      const Operation& op = operations[me.pc];
      if (op.kind != OperationKind::kBranch) return true;
      me.pc = me.registers[op.reg] == op.expected ? me.pc + 1 : op.target;
    }
    return false;
  }

  void HasRead(ThreadState& me, const Operation& op, int64_t value, int32_t from) {
    me.reads.push_back(value);
    if (op.reg >= 0) me.registers[op.reg] = value;
    me.identity += 'r' + std::to_string(from);
  }

  void Step(int thread) {
    ThreadState& me = threads_[thread];
    const Operation& op = program_.threads[thread][me.pc++];
    const int id = IdOf(thread);
    const int32_t event = (id << 8) + me.events++;
    int64_t* const address = op.location >= 0 ? &locations_[op.location] : nullptr;
    const auto pick = [&](PickKind kind, int alternatives) {
      return Choose(kind, alternatives, thread, -1, 0);
    };
    switch (op.kind) {
      case OperationKind::kStore:
        if (memory_.StoreValue(id, address, op.value, op.order, event, pick)) *address = op.value;
        me.identity += 'w';
        break;
      case OperationKind::kLoad: {
        const auto read = memory_.Load(id, address, op.order, pick);
        HasRead(me, op, read.value, read.event);
        break;
      }
      case OperationKind::kExchange:
      case OperationKind::kFetchAdd: {
        const auto update = [&](int64_t old) {
          return op.kind == OperationKind::kExchange ? op.value : old + op.value;
        };
        const auto result = memory_.ReadModifyWrite(id, address, update, op.order, event, pick);
        if (result.write) *address = result.value;
        HasRead(me, op, result.old_value, result.event);
        break;
      }
      case OperationKind::kCompareExchangeStrong:
      case OperationKind::kCompareExchangeWeak: {
        const bool weak = op.kind == OperationKind::kCompareExchangeWeak;
        const auto result = memory_.CompareExchange(id, address, op.expected, op.value, weak,
                                                    op.order, op.failure, event, pick);
        if (result.write) *address = result.value;
        HasRead(me, op, result.old_value, result.event);
        me.reads.push_back(result.stored ? 1 : 0);
        me.identity += result.stored ? 'u' : 'f';
        if (op.ok >= 0) me.registers[op.ok] = result.stored ? 1 : 0;
        break;
      }
      case OperationKind::kFence:
        memory_.Fence(id, op.order);
        me.identity += 'F';
        break;
      case OperationKind::kPlainStore:
        if (memory_.PlainWrite(id, address, sizeof *address)) break;
        *address = op.value;
        plain_values_[op.location].push_back(op.value);
        me.identity += 'p';
        break;
      case OperationKind::kPlainLoad:
        if (memory_.PlainRead(id, address, sizeof *address)) break;
        // Not racing, it sees the last store.
        HasRead(me, op, *address, -2 - static_cast<int32_t>(plain_values_[op.location].size()));
        break;
      case OperationKind::kBranch:
        break;
    }
  }

  // What tells this graph from others: who has read what, and modification order.
  std::string Identity() {
    std::string identity;
    for (const ThreadState& thread : threads_) identity += thread.identity + '|';
    for (size_t i = 0; i < locations_.size(); ++i) {
      if (program_.plain[i]) continue;
      memory_.ForEachStore(
          &locations_[i], [&](int32_t event, int64_t) { identity += std::to_string(event) + ','; });
      identity += ';';
    }
    return identity;
  }

  void Finish() {
    Outcome outcome;
    for (const Observation& what : program_.observe) {
      outcome.push_back(what.thread >= 0 ? threads_[what.thread].registers[what.index]
                                         : locations_[what.index]);
    }
    result_.outcomes.insert(outcome);
    Outcome graph;
    for (const ThreadState& thread : threads_) {
      graph.insert(graph.end(), thread.reads.begin(), thread.reads.end());
    }
    for (size_t i = 0; i < locations_.size(); ++i) {
      if (program_.plain[i]) {
        graph.insert(graph.end(), plain_values_[i].begin(), plain_values_[i].end());
        continue;
      }
      memory_.ForEachStore(&locations_[i], [&](int32_t, int64_t value) { graph.push_back(value); });
    }
    result_.graphs.insert(graph);
    result_.lost_detail |= memory_.HasLostDetail();
  }

  const Program& program_;
  const ExploreOptions& options_;
  const bool prune_;
  sim::Memory& memory_;
  Strategy* strategy_ = nullptr;
  ExploreResult result_;
  std::unordered_set<std::string> visited_;
  // The picks of this execution and of the one before it. As long as they agree, a prefix is
  // repeated.
  std::vector<int> picks_;
  std::vector<int> last_picks_;
  bool replaying_ = false;
  std::vector<int64_t> locations_;
  std::vector<Outcome> plain_values_;  // by location: all that was stored
  std::vector<ThreadState> threads_;
};

}  // namespace

ExploreResult ExploreOnMemory(const Program& program, const ExploreOptions& options) {
  if (options.max_unpruned > 0) {
    DepthFirst all;
    Explorer explorer(program, options, false);
    ExploreResult result = explorer.Run(all, options.max_unpruned);
    if (result.complete) return result;
  }
  DepthFirst all;
  Explorer explorer(program, options, true);
  return explorer.Run(all, options.max_executions);
}

ExploreResult WalkOnMemory(const Program& program, uint64_t executions, uint64_t seed,
                           const ExploreOptions& options) {
  RandomWalk random(seed);
  Explorer explorer(program, options, false);
  return explorer.Run(random, executions);
}

}  // namespace jacquard::litmus
