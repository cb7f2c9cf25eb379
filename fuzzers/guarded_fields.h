// What a lock guards: data by which exclusion is checked from its effect.
//
// The first plain field is written when a write section begins and the second when it ends. A
// reader who finds them different, or changed while it reads, has met a writer. Two atomic fields
// beside them are for speculation, which must notice that they do not belong together.
//
// Unlike the scenario's bookkeeping this is code that the locks protect, so it has its hooks.
#ifndef JACQUARD_FUZZERS_GUARDED_FIELDS_H_
#define JACQUARD_FUZZERS_GUARDED_FIELDS_H_

#include <atomic>
#include <cstdint>

#include "fuzzers/scenario.h"

namespace jacquard::fuzzers {

#pragma clang attribute push(__attribute__((no_sanitize("coverage"))), apply_to = function)

class GuardedFields {
 public:
  JACQUARD_CHECK_CODE GuardedFields() = default;  // nobody sees it yet

  // For readers, and for a writer before it begins: whether nobody is writing.
  bool IsWhole() const { return first_ == second_; }
  std::uint32_t value() const { return first_; }
  // Whether nobody has written, or is writing, since the value was `seen`.
  bool IsStill(std::uint32_t seen) const { return first_ == seen && second_ == seen; }

  // For the writer: begins, and returns the value that is being written.
  std::uint32_t BeginWriting() { return ++first_; }
  void EndWriting() { second_ = first_; }

  // The same for data that is also read by speculation. Relaxed, here and below: pairs with
  // nothing; the mm's sequence orders what speculation reads, and says whether it is worth
  // anything.
  void BeginWritingSpeculative() {
    Speculative(speculative_first_).store(BeginWriting(), std::memory_order_relaxed);
  }
  void EndWritingSpeculative() {
    Speculative(speculative_second_).store(first_, std::memory_order_relaxed);
    EndWriting();
  }
  std::uint32_t SpeculateFirst() {
    return Speculative(speculative_first_).load(std::memory_order_relaxed);
  }
  std::uint32_t SpeculateSecond() {
    return Speculative(speculative_second_).load(std::memory_order_relaxed);
  }

  // For reports: the name of the part at `address`; null if it is none of them.
  const char* NameOf(const void* address) const {
    if (address == &first_) return "plain_first";
    if (address == &second_) return "plain_second";
    if (address == &speculative_first_) return "first";
    return address == &speculative_second_ ? "second" : nullptr;
  }

 private:
  using Speculative = std::atomic_ref<std::uint32_t>;

  std::uint32_t first_ = 0;
  std::uint32_t second_ = 0;
  std::uint32_t speculative_first_ = 0;
  std::uint32_t speculative_second_ = 0;
};

#pragma clang attribute pop

}  // namespace jacquard::fuzzers

#endif  // JACQUARD_FUZZERS_GUARDED_FIELDS_H_
