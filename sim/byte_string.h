// The byte string as a strategy: a sparse list of exceptions to the benign choice.
#ifndef JACQUARD_SIM_BYTE_STRING_H_
#define JACQUARD_SIM_BYTE_STRING_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "sim/strategy.h"

namespace jacquard {

// One exception: after `gap` picks with the benign alternative, alternative 1 + `choice` modulo the
// number of others.
struct Exception {
  uint32_t gap = 0;
  uint32_t choice = 0;
  bool operator==(const Exception&) const = default;
};

// Plays a list of exceptions once. The list must outlive the execution.
class ByteString : public Strategy {
 public:
  void Set(std::span<const Exception> exceptions) { exceptions_ = exceptions; }

  bool BeginExecution() override;
  int Choose(const Pick& pick) override;

 private:
  void Next();

  std::span<const Exception> exceptions_;
  size_t next_ = 0;
};

// Wraps another strategy and writes down its choices as exceptions, so that they can be replayed
// and stored.
class ChoiceRecorder : public Strategy {
 public:
  explicit ChoiceRecorder(Strategy& inner) : inner_(inner) {}

  bool BeginExecution() override;
  int Choose(const Pick& pick) override;
  void EndExecution(const Verdict& verdict) override { inner_.EndExecution(verdict); }

  const std::vector<Exception>& exceptions() const { return exceptions_; }

 private:
  Strategy& inner_;
  std::vector<Exception> exceptions_;
  uint32_t gap_ = 0;
};

}  // namespace jacquard

#endif  // JACQUARD_SIM_BYTE_STRING_H_
