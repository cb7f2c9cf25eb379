// The sequence counter of an mmap lock: even while nobody may write, odd while somebody may.
//
// It counts the beginnings and ends of write sections. Whoever wants to know whether a write
// section is still the same one, or whether one came in between, remembers the value and compares.
// That is how all VMAs are unlocked at once: a VMA that is write-locked carries the number of the
// section, and when the section ends the number is out of date.
//
// The counter has a chosen number of bits and comes round: after 2^(bits-1) sections an old number
// means "now" again.
#ifndef JACQUARD_LOCK_SEQUENCE_H_
#define JACQUARD_LOCK_SEQUENCE_H_

#include <atomic>
#include <cstdint>
#include <optional>
#include <type_traits>

#include "lock/check.h"

namespace jacquard::lock {

// The arithmetic of a sequence of `bits` bits. Pure.
template <int bits>
struct Sequence {
  static_assert(bits >= 2 && bits <= 64);

  // The smallest type that holds it; the bits above are always 0.
  using Value = std::conditional_t<
      bits <= 8, std::uint8_t,
      std::conditional_t<bits <= 16, std::uint16_t,
                         std::conditional_t<bits <= 32, std::uint32_t, std::uint64_t>>>;

  static constexpr Value kLast = static_cast<Value>(~std::uint64_t{0} >> (64 - bits));

  // Where a counter starts.
  static constexpr Value kFirst = 0;

  // What a VMA carries that was never write-locked: even, so that it differs from the number of
  // every write section at any width. (All ones, the kernel's choice, is odd.)
  static constexpr Value kNeverLocked = kLast - 1;

  static constexpr Value Next(Value value) { return static_cast<Value>((value + 1) & kLast); }
  static constexpr bool IsWriteSection(Value value) { return (value & 1) != 0; }
};

// The counter itself. Only the owner of the mmap lock for writing calls BeginWriteSection and
// EndWriteSection; everything else may be called by any thread at any time. No member costs more
// than a load, a store and a fence.
template <int bits>
class SequenceCounter {
 public:
  using Value = typename Sequence<bits>::Value;

  SequenceCounter() = default;
  SequenceCounter(const SequenceCounter&) = delete;
  SequenceCounter& operator=(const SequenceCounter&) = delete;

  // The value at some moment; orders nothing. Exact for the owner for writing.
  Value LoadRelaxed() const {
    // Relaxed: pairs with nothing; a hint, or stable by the caller's lock.
    return value_.load(std::memory_order_relaxed);
  }

  // The value, and all writes of the sections that ended before it.
  Value LoadAcquire() const {
    // Acquire: pairs with both stores below.
    return value_.load(std::memory_order_acquire);
  }

  // Makes the number odd. To be called right after the mmap lock was acquired for writing.
  void BeginWriteSection() {
    const Value value = LoadRelaxed();
    JACQUARD_LOCK_CHECK(!Sequence<bits>::IsWriteSection(value), "write section begun twice");
    // Release: pairs with LoadAcquire. A VMA reader may meet this value instead of the even one
    // before it, and must see the writes of the earlier sections all the same; the mmap lock has
    // brought them to us.
    value_.store(Sequence<bits>::Next(value), std::memory_order_release);
    // Release fence: pairs with the one in SpeculateRetry; who sees a write of this section sees
    // the odd number.
    std::atomic_thread_fence(std::memory_order_release);
  }

  // Makes the number even. To be called right before the mmap lock is released or downgraded.
  void EndWriteSection() {
    const Value value = LoadRelaxed();
    JACQUARD_LOCK_CHECK(Sequence<bits>::IsWriteSection(value), "write section ended twice");
    // Release: pairs with LoadAcquire and SpeculateTryBegin, which must see this section's writes;
    // and keeps this section's reads before it.
    value_.store(Sequence<bits>::Next(value), std::memory_order_release);
  }

  // Begins to read without any lock. Nothing while a write section is open. Otherwise a value for
  // SpeculateRetry.
  [[nodiscard]] std::optional<Value> SpeculateTryBegin() const {
    const Value value = LoadAcquire();
    if (Sequence<bits>::IsWriteSection(value)) return std::nullopt;
    return value;
  }

  // Ends it. True if a write section began since: whatever was read may be torn, and the caller has
  // to try again. What is read in between must be atomic (relaxed will do), for it races with
  // writers. A counter that came round exactly in between deceives it.
  [[nodiscard]] bool SpeculateRetry(Value begin) const {
    // Acquire fence: pairs with the one in BeginWriteSection. ThreadSanitizer knows no fences, but
    // finds nothing to report either: what this one orders are atomics.
    std::atomic_thread_fence(std::memory_order_acquire);
    return LoadRelaxed() != begin;
  }

 private:
  std::atomic<Value> value_{Sequence<bits>::kFirst};
};

}  // namespace jacquard::lock

#endif  // JACQUARD_LOCK_SEQUENCE_H_
