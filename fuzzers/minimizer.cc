#include "fuzzers/minimizer.h"

#include <algorithm>
#include <utility>

#include "sim/byte_string.h"
#include "sim/random_walk.h"

namespace jacquard::fuzzers {
namespace {

// So many executions a smaller scenario is searched for the failure.
constexpr uint64_t kSearch = 3000;
// The same where there are very many scenarios to be tried.
constexpr uint64_t kShortSearch = 300;
// So many executions it is tried at random, with threads that are seldom interrupted.
constexpr uint64_t kAtRandom = 500;
constexpr double kInterruption = 0.1;
// Pairs of operations are tried up to so many operations.
constexpr size_t kMostInPairs = 12;

// ---- scenarios as lists of calls, or of what has a call

template <class Place>
auto& CallOf(Place& place) {
  if constexpr (requires { place.call; }) {
    return place.call;
  } else {
    return place;
  }
}

template <class Threads>
Input InputOf(const Codec& codec, const Threads& threads) {
  Input input;
  input.Clear(codec.type().min_threads);
  for (size_t t = 0; t < threads.size(); ++t) {
    for (const auto& one : threads[t]) input.AddCall(static_cast<int>(t), CallOf(one));
  }
  return input;
}

template <class Threads>
size_t OperationsOf(const Threads& threads) {
  size_t operations = 0;
  for (const auto& calls : threads) operations += calls.size();
  return operations;
}

// The threads behind it move up.
template <class Threads>
Threads WithoutThread(const Threads& threads, size_t thread) {
  Threads result = threads;
  result.erase(result.begin() + static_cast<ptrdiff_t>(thread));
  return result;
}

// The same for the arguments that say which thread is meant: what stands behind `thread` has moved
// up. Whether there are any.
template <class Threads>
bool RenumberArguments(const Codec& codec, size_t thread, Threads& threads) {
  bool any = false;
  for (auto& calls : threads) {
    for (auto& one : calls) {
      Call& call = CallOf(one);
      const OperationType& operation = codec.type().operations[call.operation];
      for (int a = 0; a < operation.arity; ++a) {
        if (std::string_view(operation.arguments[a].name) != kThreadArgument) continue;
        if (call.arguments[a] <= thread) continue;
        --call.arguments[a];
        any = true;
      }
    }
  }
  return any;
}

template <class Threads>
Threads WithoutOperations(const Threads& threads, size_t thread, size_t first, size_t count) {
  Threads result = threads;
  const auto begin = result[thread].begin() + static_cast<ptrdiff_t>(first);
  result[thread].erase(begin, begin + static_cast<ptrdiff_t>(count));
  return result;
}

}  // namespace

InputCost CostOf(const Input& input) {
  InputCost cost;
  for (int t = 0; t < input.threads(); ++t) {
    ++cost.threads;
    cost.operations += input.calls(t).size();
    for (const Call& call : input.calls(t)) {
      for (const uint8_t value : call.arguments) cost.arguments += value;
    }
  }
  cost.schedule = CostOf(ChoicesOf(input));
  return cost;
}

Choices ChoicesOf(const Input& input) {
  return {{input.exceptions().begin(), input.exceptions().end()},
          {input.memory_exceptions().begin(), input.memory_exceptions().end()}};
}

bool SetChoices(const Choices& choices, Input& input) {
  Input result = input;
  result.ClearExceptions();
  const auto fits = [](const Exception& exception, uint32_t most) {
    return exception.gap <= kMaxGap && exception.choice <= most;
  };
  for (const Exception& exception : choices.others) {
    if (!fits(exception, kMaxChoice) || !result.AddException(exception)) return false;
  }
  for (const Exception& exception : choices.of_memory) {
    if (!fits(exception, kMaxMemoryChoice) || !result.AddMemoryException(exception)) return false;
  }
  input = result;
  return true;
}

std::vector<Input> SingleRemovals(const Codec& codec, const Input& input) {
  std::vector<Input> inputs;
  using Threads = std::vector<std::vector<Call>>;
  Threads threads;
  for (int t = 0; t < input.threads(); ++t)
    threads.emplace_back(input.calls(t).begin(), input.calls(t).end());
  const Choices choices = ChoicesOf(input);
  const auto add = [&](const Threads& smaller, const Choices& fewer) {
    Input result = InputOf(codec, smaller);
    // A gap may have become too long: the choice is then out of reach.
    if (SetChoices(fewer, result) && result != input) inputs.push_back(result);
  };
  for (size_t t = 0; t < threads.size(); ++t) {
    Threads without = WithoutThread(threads, t);
    add(without, choices);
    if (RenumberArguments(codec, t, without)) add(without, choices);
    add(WithoutOperations(threads, t, 0, threads[t].size()), choices);
    for (size_t i = 0; i < threads[t].size(); ++i)
      add(WithoutOperations(threads, t, i, 1), choices);
  }
  for (const auto list : {&Choices::others, &Choices::of_memory}) {
    for (size_t i = 0; i < (choices.*list).size(); ++i) {
      for (const auto without : {&WithoutInPlace, &WithoutAndCloser}) {
        Choices fewer = choices;
        fewer.*list = without(choices.*list, i, 1);
        add(threads, fewer);
      }
    }
  }
  return inputs;
}

InputMinimizer::InputMinimizer(const Codec& codec, Execute execute, OperationsDone operations_done,
                               std::string signature, uint64_t executions)
    : codec_(codec),
      execute_(std::move(execute)),
      operations_done_(std::move(operations_done)),
      signature_(std::move(signature)),
      most_executions_(executions),
      schedules_([this](Strategy& strategy) { return execute_(tried_, strategy); }, signature_,
                 {.executions = executions, .steps = executions * 1000, .seconds = 0}) {}

// Lets threads run in a given order, as far as they can, or (without one) reads the order in which
// they run by themselves.
class InputMinimizer::Along : public Strategy {
 public:
  // The memory's choices are those of `choices`, or all are.
  Along(const Choices& choices, const std::vector<int>* order, const OperationsDone& done)
      : order_(order), done_(done) {
    if (order == nullptr) {
      lists_.Set(choices.others, choices.of_memory);
    } else {
      lists_.Set({}, choices.of_memory);
    }
  }

  bool BeginExecution() override { return lists_.BeginExecution(); }
  int Choose(const Pick& pick) override {
    if (IsOfMemory(pick.kind)) return lists_.TakeBenignMemoryPick() ? 0 : lists_.Choose(pick);
    if (order_ == nullptr) {
      const int choice = lists_.TakeBenignPick() ? 0 : lists_.Choose(pick);
      if (pick.kind == PickKind::kSchedule) {
        const int thread = ThreadOfChoice(pick, choice);
        turns.push_back({static_cast<size_t>(thread), static_cast<size_t>(done_(thread))});
      }
      return choice;
    }
    if (pick.kind != PickKind::kSchedule) return 0;
    while (next_ < order_->size()) {
      const int thread = (*order_)[next_++];
      if ((pick.candidates & SetOfThread(thread)) != 0) return ChoiceOfThread(pick, thread);
    }
    return 0;
  }

  std::vector<Turn> turns;

 private:
  ByteString lists_;
  const std::vector<int>* const order_;
  const OperationsDone& done_;
  size_t next_ = 0;
};

void InputMinimizer::ReadOrder() {
  Along along(choices_, nullptr, operations_done_);
  along.BeginExecution();
  ++executions_;
  (void)execute_(InputOf(codec_, threads_), along);
  order_ = std::move(along.turns);
  order_is_read_ = true;
}

// Whether what is tried fails under a strategy. Then `choices` are those that were taken.
bool InputMinimizer::FailsUnder(Strategy& strategy, Choices& choices) {
  ChoiceRecorder recorder(strategy);
  recorder.BeginExecution();
  ++executions_;
  if (execute_(tried_, recorder).signature != signature_) return false;
  choices = {recorder.exceptions(), recorder.memory_exceptions()};
  return true;
}

// Whether `threads`, a part of the smallest scenario so far, fails with the steps that it shares
// with that in the same order. Then `choices` are those that make it do so.
bool InputMinimizer::FailsAlong(const Threads& threads, Choices& choices) {
  if (executions() + 2 >= most_executions_) return false;
  if (!order_is_read_) ReadOrder();
  // Where each operation is now; what comes behind the last one goes where the last one went.
  std::vector<std::vector<int>> now;
  for (const auto& calls : threads_) now.emplace_back(calls.size() + 1, -1);
  for (size_t t = 0; t < threads.size(); ++t) {
    for (const Place& place : threads[t]) {
      now[place.thread][place.index] = static_cast<int>(t);
      now[place.thread].back() = static_cast<int>(t);
    }
  }
  std::vector<int> order;
  for (const Turn& turn : order_) {
    if (turn.thread >= now.size() || turn.operation >= now[turn.thread].size()) continue;
    const int thread = now[turn.thread][turn.operation];
    if (thread >= 0) order.push_back(thread);
  }
  for (const bool with_memory : {true, false}) {
    if (!with_memory && choices.of_memory.empty()) return false;
    Choices memory;
    if (with_memory) memory.of_memory = choices.of_memory;
    Along along(memory, &order, operations_done_);
    if (FailsUnder(along, choices)) return true;
  }
  return false;
}

// Whether `threads`, which are fewer operations, fail in a way that has little in common with the
// one before: where threads take turns at many picks, a search from the benign schedule gets
// nowhere.
bool InputMinimizer::FailsAtRandom(const Threads& threads, Choices& choices) {
  if (OperationsOf(threads) >= OperationsOf(threads_)) return false;
  for (uint64_t seed = 1; seed <= kAtRandom && executions() + 1 < most_executions_; ++seed) {
    LazyWalk walk(seed, kInterruption);
    if (FailsUnder(walk, choices)) return true;
  }
  return false;
}

// Whether a scenario fails as well: then it is the one to go on from. One with fewer operations may
// need a choice more.
bool InputMinimizer::Try(Threads threads, uint64_t search) {
  tried_ = InputOf(codec_, threads);
  Choices choices = choices_;
  if (!schedules_.Fails(choices)) {
    choices = choices_;
    Choices most = choices_;
    if (OperationsOf(threads) < OperationsOf(threads_)) most.others.emplace_back();
    if (!FailsAlong(threads, choices) &&
        !schedules_.FindFewer(most, /*or_as_many=*/true, search, choices) &&
        !FailsAtRandom(threads, choices))
      return false;
  }
  Accept(std::move(threads), std::move(choices));
  return true;
}

void InputMinimizer::Accept(Threads threads, Choices choices) {
  threads_ = std::move(threads);
  for (size_t t = 0; t < threads_.size(); ++t) {
    for (size_t i = 0; i < threads_[t].size(); ++i) {
      threads_[t][i].thread = t;
      threads_[t][i].index = i;
    }
  }
  choices_ = std::move(choices);
  order_is_read_ = false;
}

bool InputMinimizer::TryWithoutThread(const Threads& threads, size_t thread) {
  Threads without = WithoutThread(threads, thread);
  if (Try(without, kSearch)) return true;
  return RenumberArguments(codec_, thread, without) && Try(std::move(without), kSearch);
}

bool InputMinimizer::RemoveThreads() {
  bool changed = false;
  for (size_t t = threads_.size(); t-- > 0;) {
    const bool was_empty = threads_[t].empty();
    if (threads_.size() > static_cast<size_t>(codec_.type().min_threads) &&
        TryWithoutThread(threads_, t)) {
      changed = true;
    } else if (!was_empty) {
      changed |= Try(WithoutOperations(threads_, t, 0, threads_[t].size()), kSearch);
    }
  }
  return changed;
}

// Lets one thread do what two have done, one after the other.
bool InputMinimizer::JoinThreads() {
  bool changed = false;
  for (size_t t = threads_.size(); t-- > 0;) {
    for (size_t into = 0; into < threads_.size() && t < threads_.size(); ++into) {
      if (into == t || threads_[t].empty() || threads_[into].empty() ||
          threads_[t].size() + threads_[into].size() > kMaxOperations)
        continue;
      for (const bool behind : {true, false}) {
        Threads joined = threads_;
        joined[into].insert(behind ? joined[into].end() : joined[into].begin(), threads_[t].begin(),
                            threads_[t].end());
        if (!TryWithoutThread(joined, t)) continue;
        changed = true;
        break;
      }
    }
  }
  return changed;
}

bool InputMinimizer::RemoveOperations() {
  bool changed = false;
  for (size_t t = threads_.size(); t-- > 0;) {
    for (size_t chunk = threads_[t].size() / 2; chunk >= 1; chunk /= 2) {
      size_t end = threads_[t].size();
      while (end > 0) {
        const size_t begin = end > chunk ? end - chunk : 0;
        changed |= Try(WithoutOperations(threads_, t, begin, end - begin), kSearch);
        end = std::min(begin, threads_[t].size());
      }
    }
    // The whole of it was tried as a thread.
    if (threads_[t].size() == 1) changed |= Try(WithoutOperations(threads_, t, 0, 1), kSearch);
  }
  return changed;
}

// Two operations that are only needed because of each other: a lock that is taken, and dropped.
bool InputMinimizer::RemovePairs() {
  if (OperationsOf(threads_) > kMostInPairs) return false;
  for (size_t t = 0; t < threads_.size(); ++t) {
    for (size_t i = 0; i < threads_[t].size(); ++i) {
      const Threads without_first = WithoutOperations(threads_, t, i, 1);
      for (size_t u = t; u < threads_.size(); ++u) {
        for (size_t j = u == t ? i : 0; j < without_first[u].size(); ++j) {
          if (Try(WithoutOperations(without_first, u, j, 1), kShortSearch)) return true;
        }
      }
    }
  }
  return false;
}

// One operation for two that follow each other: a lock that is taken for writing and downgraded,
// say, where one for reading will do. With the arguments of either.
bool InputMinimizer::MergeOperations() {
  if (OperationsOf(threads_) > kMostInPairs) return false;
  for (size_t t = 0; t < threads_.size(); ++t) {
    for (size_t i = 1; i < threads_[t].size(); ++i) {
      for (int operation = 0; operation < codec_.type().operation_count; ++operation) {
        for (const size_t like : {i - 1, i}) {
          Threads merged = WithoutOperations(threads_, t, i, 1);
          Call& call = merged[t][i - 1].call;
          call = threads_[t][like].call;
          call.operation = static_cast<uint8_t>(operation);
          const OperationType& type = codec_.type().operations[operation];
          for (int a = 0; a < kMaxArguments; ++a) {
            const int most = a < type.arity ? type.arguments[a].count - 1 : 0;
            call.arguments[a] = static_cast<uint8_t>(std::min<int>(call.arguments[a], most));
          }
          if (Try(std::move(merged), kShortSearch)) return true;
        }
      }
    }
  }
  return false;
}

// The thread with the lowest number runs first unless a choice says otherwise.
bool InputMinimizer::SwapThreads() {
  for (size_t t = 0; t < threads_.size(); ++t) {
    for (size_t u = t + 1; u < threads_.size(); ++u) {
      Threads swapped = threads_;
      std::swap(swapped[t], swapped[u]);
      tried_ = InputOf(codec_, swapped);
      Choices fewer;
      if (!schedules_.FindFewer(choices_, /*or_as_many=*/false, kSearch, fewer)) continue;
      Accept(std::move(swapped), std::move(fewer));
      return true;
    }
  }
  return false;
}

// One by one, and all with the same value together: they may be the same object.
bool InputMinimizer::LowerArguments() {
  bool changed = false;
  for (int a = 0; a < kMaxArguments; ++a) {
    for (int from = 1; from < Codec::kMaxCalls; ++from) {
      bool is_there = true;
      for (int to = 0; to < from && is_there; ++to) {
        Threads lower = threads_;
        is_there = false;
        for (auto& calls : lower) {
          for (Place& place : calls) {
            if (place.call.arguments[a] != from) continue;
            place.call.arguments[a] = static_cast<uint8_t>(to);
            is_there = true;
          }
        }
        if (is_there) changed |= Try(std::move(lower), kShortSearch);
      }
    }
    for (size_t t = 0; t < threads_.size(); ++t) {
      for (size_t i = 0; i < threads_[t].size(); ++i) {
        for (uint8_t value = 0; value < threads_[t][i].call.arguments[a]; ++value) {
          Threads lower = threads_;
          lower[t][i].call.arguments[a] = value;
          changed |= Try(std::move(lower), kShortSearch);
        }
      }
    }
  }
  return changed;
}

bool InputMinimizer::Minimize(Input& input, Choices& choices) {
  Threads threads(static_cast<size_t>(input.threads()));
  for (size_t t = 0; t < threads.size(); ++t) {
    for (const Call& call : input.calls(static_cast<int>(t))) threads[t].push_back({.call = call});
  }
  Accept(std::move(threads), choices);
  tried_ = InputOf(codec_, threads_);
  if (!schedules_.Fails(choices_)) return false;
  for (bool again = true; again && !spent();) {
    // Few choices first: the search through smaller scenarios is the shorter for it. That through
    // this one, which is seldom the last, may be short.
    tried_ = InputOf(codec_, threads_);
    schedules_.Minimize(choices_, kSearch);
    order_is_read_ = false;
    again = RemoveThreads();
    again |= RemoveOperations();
    again |= JoinThreads();
    again |= RemovePairs();
    if (!again) again = MergeOperations();
    again |= SwapThreads();
    again |= LowerArguments();
    const Choices before = choices_;
    tried_ = InputOf(codec_, threads_);
    if (!again) schedules_.Minimize(choices_);
    order_is_read_ = false;
    again |= choices_ != before;
  }
  input = InputOf(codec_, threads_);
  choices = choices_;
  SetChoices(choices_, input);
  return true;
}

}  // namespace jacquard::fuzzers
