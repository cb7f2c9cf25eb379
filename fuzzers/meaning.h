// Exceptions that are addressed by what they mean: for the measurement of what that is worth
// (docs/guidance.md).
#ifndef JACQUARD_FUZZERS_MEANING_H_
#define JACQUARD_FUZZERS_MEANING_H_

#include <array>
#include <cstdint>
#include <span>

#include "sim/byte_string.h"
#include "sim/strategy.h"

namespace jacquard::fuzzers {

// How an exception says where it is.
enum class Addressing : uint8_t {
  kPositions,   // after so many picks: ByteString
  kOperations,  // the nth time that a thread is about to do this operation, another one runs first
  kWrites,      // it runs only when others have written to its object: it reads from that write
};

// Plays exceptions that are addressed by operations. Nothing in them is lost or shifted when others
// are removed, or when something else happens before them.
//
// The same two numbers are read in another way. `gap`: the operation, by a hash of its kind and
// object below 32, and how often it has come before, times 32. `choice`: the thread, of four, and
// which of the others runs, times 4; of a read of the memory model, how old its value is.
class Meaning : public Strategy {
 public:
  // Not kPositions.
  explicit Meaning(Addressing addressing) : addressing_(addressing) {}

  // They must outlive the execution.
  void Set(std::span<const Exception> exceptions, std::span<const Exception> of_memory) {
    exceptions_ = exceptions;
    of_memory_ = of_memory;
  }

  bool BeginExecution() override;
  int Choose(const Pick& pick) override;
  bool RepeatExecution() override { return BeginExecution(); }

 private:
  static constexpr int kThreads = 4;
  static constexpr uint32_t kOperations = 32;
  using Counts = std::array<std::array<uint16_t, kOperations>, kThreads>;

  // The exception among `list` for what `thread` does for the nth time; null if there is none.
  const Exception* Find(std::span<const Exception> list, const Pick& pick, Counts& counts);
  int ChooseThread(const Pick& pick);
  // An alternative that is not the waiting thread.
  int ChooseOther(const Pick& pick, int choice) const;

  const Addressing addressing_;
  std::span<const Exception> exceptions_;
  std::span<const Exception> of_memory_;
  Counts counts_ = {};
  Counts memory_counts_ = {};
  // What each thread is about to do, of this execution; the memory model's picks come without.
  const PendingOperation* pending_ = nullptr;
  // kWrites: who waits for a write to which object.
  int waits_ = -1;
  const void* object_ = nullptr;
};

}  // namespace jacquard::fuzzers

#endif  // JACQUARD_FUZZERS_MEANING_H_
