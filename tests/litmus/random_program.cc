#include "tests/litmus/random_program.h"

#include <algorithm>
#include <iterator>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace jacquard::litmus {
namespace {

class Generator {
 public:
  Generator(uint64_t seed, const RandomProgramOptions& options)
      : random_(seed), options_(options) {}

  Program Generate(uint64_t seed) {
    program_.name = "random-" + std::to_string(seed);
    const int atomics = Between(1, options_.max_locations);
    const int plains = options_.plain > 0 ? Between(1, 2) : 0;
    for (int i = 0; i < atomics + plains; ++i) {
      program_.locations.push_back((i < atomics ? "x" : "d") + std::to_string(i));
      program_.initial.push_back(0);
      program_.plain.push_back(i >= atomics);
    }
    const int threads = Between(options_.min_threads, options_.max_threads);
    program_.threads.resize(threads);
    program_.registers.resize(threads, 0);
    const int operations = Between(threads, std::max(threads, options_.max_operations));
    for (int i = 0; i < operations; ++i) {
      const int thread = i < threads ? i : Between(0, threads - 1);
      AddOperation(thread, atomics, plains);
    }
    for (int thread = 0; thread < threads; ++thread) {
      for (int reg = 0; reg < program_.registers[thread]; ++reg) {
        program_.observe.push_back({thread, reg});
      }
    }
    for (int i = 0; i < atomics + plains; ++i) program_.observe.push_back({-1, i});
    return program_;
  }

 private:
  int Between(int low, int high) {
    return low + static_cast<int>(random_() % static_cast<uint64_t>(high - low + 1));
  }
  bool Percent(int percent) { return Between(0, 99) < percent; }

  MemoryOrder Order(std::initializer_list<MemoryOrder> weaker) {
    if (Percent(options_.seq_cst)) return MemoryOrder::kSeqCst;
    return weaker.begin()[Between(0, static_cast<int>(weaker.size()) - 1)];
  }

  void AddOperation(int thread, int atomics, int plains) {
    using enum MemoryOrder;
    Operation op;
    const int kind = Between(0, 99);
    if (kind < options_.plain) {
      op.location = atomics + Between(0, plains - 1);
      op.kind = Percent(50) ? OperationKind::kPlainStore : OperationKind::kPlainLoad;
    } else if (kind < options_.plain + options_.fences) {
      op.kind = OperationKind::kFence;
      op.order = Order({kAcquire, kRelease, kAcqRel});
    } else if (kind < options_.plain + options_.fences + options_.updates) {
      op.location = Between(0, atomics - 1);
      static constexpr OperationKind kKinds[] = {OperationKind::kExchange, OperationKind::kFetchAdd,
                                                 OperationKind::kCompareExchangeStrong,
                                                 OperationKind::kCompareExchangeWeak};
      op.kind = kKinds[Between(0, 3)];
      op.order = Order({kRelaxed, kAcquire, kRelease, kAcqRel});
      op.failure = Order({kRelaxed, kAcquire});
      op.expected = Between(0, next_value_);
    } else {
      op.location = Between(0, atomics - 1);
      if (Percent(50)) {
        op.kind = OperationKind::kStore;
        op.order = Order({kRelaxed, kRelease});
      } else {
        op.kind = OperationKind::kLoad;
        op.order = Order({kRelaxed, kAcquire});
      }
    }
    op.value = op.kind == OperationKind::kFetchAdd ? int64_t{100} << next_value_ : next_value_;
    ++next_value_;
    const bool reads = op.kind != OperationKind::kStore && op.kind != OperationKind::kPlainStore &&
                       op.kind != OperationKind::kFence;
    const int branch_on = program_.registers[thread] > 0 && Percent(10)
                              ? Between(0, program_.registers[thread] - 1)
                              : -1;
    if (reads) op.reg = program_.registers[thread]++;
    auto& operations = program_.threads[thread];
    if (branch_on >= 0) {
      Operation branch;
      branch.kind = OperationKind::kBranch;
      branch.reg = branch_on;
      branch.expected = Between(0, next_value_ - 1);
      branch.target = static_cast<int>(operations.size()) + 2;
      operations.push_back(branch);
    }
    operations.push_back(op);
  }

  std::mt19937_64 random_;
  const RandomProgramOptions& options_;
  Program program_;
  int next_value_ = 1;
};

class Changer {
 public:
  Changer(Program program, uint64_t seed) : random_(seed), program_(std::move(program)) {
    program_.name += "-changed-" + std::to_string(seed);
    program_.allowed.clear();
  }

  Program Change() {
    for (int changes = 1 + Below(3); changes > 0; --changes) ChangeOnce();
    return program_;
  }

 private:
  int Below(size_t bound) { return static_cast<int>(random_() % bound); }

  MemoryOrder AnyOrder() {
    static constexpr MemoryOrder kOrders[] = {MemoryOrder::kRelaxed, MemoryOrder::kAcquire,
                                              MemoryOrder::kRelease, MemoryOrder::kAcqRel,
                                              MemoryOrder::kSeqCst,  MemoryOrder::kSeqCst};
    return kOrders[Below(std::size(kOrders))];
  }

  void ChangeOnce() {
    const int thread = Below(program_.threads.size());
    auto& operations = program_.threads[thread];
    const int at = Below(operations.size());
    switch (Below(4)) {
      case 0:
      case 1:
        SetOrder(operations[at], AnyOrder());
        break;
      case 2: {
        // To a location of the same sort.
        if (operations[at].location < 0) break;
        const int location = Below(program_.locations.size());
        if (program_.plain[location] == program_.plain[operations[at].location]) {
          operations[at].location = location;
        }
        break;
      }
      default:
        Insert(operations, at);
    }
  }

  static void SetOrder(Operation& op, MemoryOrder order) {
    const bool acquires = order == MemoryOrder::kAcquire || order == MemoryOrder::kAcqRel;
    const bool releases = order == MemoryOrder::kRelease || order == MemoryOrder::kAcqRel;
    switch (op.kind) {
      case OperationKind::kStore:
        op.order = acquires ? MemoryOrder::kRelaxed : order;
        break;
      case OperationKind::kLoad:
        op.order = releases ? MemoryOrder::kRelaxed : order;
        break;
      case OperationKind::kCompareExchangeStrong:
      case OperationKind::kCompareExchangeWeak:
        op.failure = releases ? MemoryOrder::kRelaxed : order;
        [[fallthrough]];
      case OperationKind::kExchange:
      case OperationKind::kFetchAdd:
        op.order = order;
        break;
      case OperationKind::kFence:
        op.order = order == MemoryOrder::kRelaxed ? MemoryOrder::kSeqCst : order;
        break;
      default:
        break;
    }
  }

  // A fence or a store that nobody expects.
  void Insert(std::vector<Operation>& operations, int at) {
    Operation op;
    const int location = Below(program_.locations.size());
    if (Below(2) == 0 && !program_.plain[location]) {
      op.kind = OperationKind::kStore;
      op.location = location;
      op.value = 1'000 + Below(1'000);
    }
    SetOrder(op, AnyOrder());
    for (Operation& branch : operations) {
      if (branch.kind == OperationKind::kBranch && branch.target > at) ++branch.target;
    }
    operations.insert(operations.begin() + at, op);
  }

  std::mt19937_64 random_;
  Program program_;
};

}  // namespace

Program ChangedProgram(const Program& program, uint64_t seed) {
  return Changer(program, seed).Change();
}

Program RandomProgram(uint64_t seed, const RandomProgramOptions& options) {
  return Generator(seed, options).Generate(seed);
}

}  // namespace jacquard::litmus
