// The byte string as a strategy: a sparse list of exceptions to the benign choice.
#ifndef JACQUARD_SIM_BYTE_STRING_H_
#define JACQUARD_SIM_BYTE_STRING_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "sim/random_answers.h"
#include "sim/strategy.h"

namespace jacquard {

// One exception: after `gap` picks with the benign alternative, alternative 1 + `choice` modulo the
// number of others.
struct Exception {
  uint32_t gap = 0;
  uint32_t choice = 0;
  bool operator==(const Exception&) const = default;
};

// Plays two lists of exceptions once: one for the memory model's picks, and one for all others.
// Each counts its own picks only. The lists must outlive the execution.
class ByteString : public Strategy {
 public:
  void Set(std::span<const Exception> exceptions, std::span<const Exception> of_memory = {}) {
    others_.exceptions = exceptions;
    of_memory_.exceptions = of_memory;
  }

  bool BeginExecution() override;
  int Choose(const Pick& pick) override;
  bool RepeatExecution() override { return BeginExecution(); }

  // So many picks there have been in the execution that was begun last: the memory model's, and all
  // others. Costs a step for each exception.
  uint64_t picks() const { return others_.Taken(benign_picks_); }
  uint64_t memory_picks() const { return of_memory_.Taken(benign_memory_picks_); }

 private:
  struct List {
    std::span<const Exception> exceptions;
    size_t next = 0;

    // So many benign picks come before the next exception.
    uint64_t Gap() const;
    // So many picks have been made, where `left` benign ones are left before the next exception.
    uint64_t Taken(uint64_t left) const;
  };

  List others_;
  List of_memory_;
};

// Wraps another strategy and writes down its choices as exceptions, so that they can be replayed
// and stored.
class ChoiceRecorder : public Strategy {
 public:
  explicit ChoiceRecorder(Strategy& inner) : inner_(inner) {}
  ~ChoiceRecorder() override;
  ChoiceRecorder(const ChoiceRecorder&) = delete;
  ChoiceRecorder& operator=(const ChoiceRecorder&) = delete;

  bool BeginExecution() override;
  int Choose(const Pick& pick) override;
  void EndExecution(const Verdict& verdict) override;
  bool RepeatExecution() override;
  std::vector<StrategyShare> Shares() const override { return inner_.Shares(); }
  void OnBegin(const Surroundings& surroundings) override { inner_.OnBegin(surroundings); }
  void OnStep(const Step& step, Site site) override { inner_.OnStep(step, site); }
  void OnBlock(int thread, StepKind kind, const void* address, Site site) override {
    inner_.OnBlock(thread, kind, address, site);
  }
  void OnTimedBlock(int thread) override { inner_.OnTimedBlock(thread); }
  void OnHeap(const void* block, size_t size, bool freed) override {
    inner_.OnHeap(block, size, freed);
  }

  const std::vector<Exception>& exceptions() const {
    ReadLog();
    return others_.exceptions;
  }
  const std::vector<Exception>& memory_exceptions() const {
    ReadLog();
    return of_memory_.exceptions;
  }

 private:
  struct List {
    std::vector<Exception> exceptions;
    uint32_t gap = 0;

    void Add(int choice);
  };

  void Clear();
  bool Begin(bool goes_on);
  // A random walk's choices are only written down; few executions are replayed.
  void ReadLog() const;

  Strategy& inner_;
  ChoiceLog log_;
  mutable size_t read_ = 0;  // so many choices of the log are in the lists
  mutable List others_;
  mutable List of_memory_;
};

}  // namespace jacquard

#endif  // JACQUARD_SIM_BYTE_STRING_H_
