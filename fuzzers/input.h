// An input in memory: a scenario (threads and their operations) and the decisions to run it with.
#ifndef JACQUARD_FUZZERS_INPUT_H_
#define JACQUARD_FUZZERS_INPUT_H_

#include <array>
#include <cstdint>
#include <span>

#include "fuzzers/scenario_type.h"
#include "sim/byte_string.h"

namespace jacquard::fuzzers {

// The most operations that one thread of an input can have.
inline constexpr int kMaxOperations = 16;
// The most schedule exceptions that an input can have, and the most exceptions of memory: among the
// memory model's picks, which are counted by themselves (sim/byte_string.h).
inline constexpr int kMaxExceptions = 200;
inline constexpr int kMaxMemoryExceptions = 100;
// The largest gap before an exception, and the largest choice: what the encoding can express.
inline constexpr uint32_t kMaxGap = 0xffff;
inline constexpr uint32_t kMaxChoice = 0x7f;
inline constexpr uint32_t kMaxMemoryChoice = 0x3f;

// One operation with its arguments. Unused arguments are 0.
struct Call {
  uint8_t operation = 0;
  std::array<uint8_t, kMaxArguments> arguments = {};
  bool operator==(const Call&) const = default;
};

// Fixed storage, so that decoding allocates nothing. What lies behind a count is left as it was.
// `threads` is what the target's minimum asks for, or more if a thread beyond it has operations.
class Input {
 public:
  int threads() const { return threads_; }
  std::span<const Call> calls(int thread) const { return {calls_[thread], counts_[thread]}; }
  std::span<const Exception> exceptions() const { return {exceptions_, exception_count_}; }
  std::span<const Exception> memory_exceptions() const {
    return {memory_exceptions_, memory_exception_count_};
  }

  // Empties the input for a target that always has `min_threads`.
  void Clear(int min_threads) {
    threads_ = min_threads;
    counts_.fill(0);
    exception_count_ = memory_exception_count_ = 0;
  }
  // Adds an operation, or an exception, at the end. False, and nothing happens, if there is no
  // room.
  bool AddCall(int thread, Call call) {
    if (counts_[thread] == kMaxOperations) return false;
    calls_[thread][counts_[thread]++] = call;
    if (thread >= threads_) threads_ = thread + 1;
    return true;
  }
  // Drops all operations of threads from `threads` on, and those beyond the first `operations` of
  // each, for a target that always has `min_threads`.
  void Trim(int min_threads, int threads, int operations) {
    threads_ = threads > min_threads ? threads : min_threads;
    for (int t = 0; t < kMaxInputThreads; ++t) {
      const int most = t < threads ? operations : 0;
      if (counts_[t] > most) counts_[t] = static_cast<uint8_t>(most);
    }
  }
  void ClearExceptions() { exception_count_ = memory_exception_count_ = 0; }
  bool AddException(Exception exception) {
    if (exception_count_ == kMaxExceptions) return false;
    exceptions_[exception_count_++] = exception;
    return true;
  }

  bool AddMemoryException(Exception exception) {
    if (memory_exception_count_ == kMaxMemoryExceptions) return false;
    memory_exceptions_[memory_exception_count_++] = exception;
    return true;
  }

  bool operator==(const Input& other) const;

 private:
  int threads_ = 1;
  std::array<uint8_t, kMaxInputThreads> counts_ = {};
  uint32_t exception_count_ = 0;
  Call calls_[kMaxInputThreads][kMaxOperations];
  uint32_t memory_exception_count_ = 0;
  Exception exceptions_[kMaxExceptions];
  Exception memory_exceptions_[kMaxMemoryExceptions];
};

// How long the execution of an input was.
struct ExecutionLength {
  uint64_t steps = 0;
  uint64_t picks = 0;         // all but those of the memory model
  uint64_t memory_picks = 0;  // and those
};

}  // namespace jacquard::fuzzers

#endif  // JACQUARD_FUZZERS_INPUT_H_
