#include "fuzzers/scenarios.h"

#include <cmath>
#include <utility>

#include "sim/random_answers.h"

namespace jacquard::fuzzers {
namespace {

class Random : public Scenarios {
 public:
  Random(const Codec& codec, uint64_t seed, const ScenarioSize& most)
      : codec_(codec), seed_(seed), most_(most) {}

  bool Get(uint64_t n, Input& input) override {
    RandomAnswers random;
    random.SeedExecution(seed_, n);
    const ScenarioType& type = codec_.type();
    input.Clear(type.min_threads);
    const int least = most_.threads < 2 ? 1 : 2;
    const int threads = least + random.Answer(most_.threads - least + 1);
    const int operations = 1 + random.Answer(most_.operations);
    for (int t = 0; t < threads; ++t) {
      for (int i = 0; i < operations; ++i) {
        Call call{.operation = static_cast<uint8_t>(random.Answer(type.operation_count))};
        const OperationType& operation = type.operations[call.operation];
        for (int a = 0; a < operation.arity; ++a)
          call.arguments[a] = static_cast<uint8_t>(random.Answer(operation.arguments[a].count));
        input.AddCall(t, call);
      }
    }
    return true;
  }

 private:
  const Codec& codec_;
  const uint64_t seed_;
  const ScenarioSize most_;
};

// Counts in a number system with a digit for each operation, the digits being calls. The threads'
// numbers never descend.
class All : public Scenarios {
 public:
  All(const Codec& codec, const ScenarioSize& most)
      : codec_(codec), most_(most), least_threads_(most.threads < 2 ? 1 : 2) {
    Begin(least_threads_, 1);
  }

  bool Get(uint64_t n, Input& input) override {
    for (; next_ <= n; ++next_) {
      if (next_ != 0 && !Advance()) return false;
    }
    input.Clear(codec_.type().min_threads);
    for (size_t t = 0; t < threads_.size(); ++t) {
      for (const int call : threads_[t]) input.AddCall(static_cast<int>(t), codec_.CallAt(call));
    }
    return true;
  }

  double Count() const override {
    double count = 0;
    for (int operations = 1; operations <= most_.operations; ++operations) {
      for (int threads = least_threads_; threads <= most_.threads; ++threads) {
        // Multisets of `threads` sequences.
        const double sequences = std::pow(codec_.call_count(), operations);
        double sets = 1;
        for (int t = 0; t < threads; ++t) sets *= (sequences + t) / (t + 1);
        count += sets;
      }
    }
    return count;
  }

 private:
  void Begin(int threads, int operations) {
    threads_.assign(static_cast<size_t>(threads),
                    std::vector<int>(static_cast<size_t>(operations), 0));
  }

  bool Advance() {
    for (size_t t = threads_.size(); t-- > 0;) {
      if (!Increment(threads_[t])) continue;
      for (size_t behind = t + 1; behind < threads_.size(); ++behind)
        threads_[behind] = threads_[t];
      return true;
    }
    const int threads = static_cast<int>(threads_.size());
    const int operations = static_cast<int>(threads_[0].size());
    if (threads < most_.threads) {
      Begin(threads + 1, operations);
    } else if (operations < most_.operations) {
      Begin(least_threads_, operations + 1);
    } else {
      return false;
    }
    return true;
  }

  // False: it was the last one.
  bool Increment(std::vector<int>& sequence) const {
    for (size_t i = sequence.size(); i-- > 0;) {
      if (++sequence[i] < codec_.call_count()) return true;
      sequence[i] = 0;
    }
    for (int& call : sequence) call = codec_.call_count() - 1;
    return false;
  }

  const Codec& codec_;
  const ScenarioSize most_;
  const int least_threads_;
  std::vector<std::vector<int>> threads_;  // the scenario before number next_
  uint64_t next_ = 0;
};

class Given : public Scenarios {
 public:
  explicit Given(std::vector<Input> inputs) : inputs_(std::move(inputs)) {
    for (Input& input : inputs_) input.ClearExceptions();
  }
  bool Get(uint64_t n, Input& input) override {
    if (n >= inputs_.size()) return false;
    input = inputs_[n];
    return true;
  }
  double Count() const override { return static_cast<double>(inputs_.size()); }

 private:
  std::vector<Input> inputs_;
};

}  // namespace

std::unique_ptr<Scenarios> RandomScenarios(const Codec& codec, uint64_t seed,
                                           const ScenarioSize& most) {
  return std::make_unique<Random>(codec, seed, most);
}

std::unique_ptr<Scenarios> AllScenarios(const Codec& codec, const ScenarioSize& most) {
  return std::make_unique<All>(codec, most);
}

std::unique_ptr<Scenarios> GivenScenarios(std::vector<Input> inputs) {
  return std::make_unique<Given>(std::move(inputs));
}

}  // namespace jacquard::fuzzers
