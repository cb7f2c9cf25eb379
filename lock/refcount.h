// A reference count that never wraps and can be raised only while it is alive.
//
// Three ideas. Zero is an end: nobody raises a count of zero, only its owner sets it anew. There is
// a ceiling, given with each increment, so that the bits above it can carry flags. And the top bit
// is a trap: an operation that would reach it, from either side, pins the count at kSaturated, in
// the middle of the bad half, where it stays whatever follows. So a bug leaks an object instead of
// freeing it under a user. The count itself keeps quiet; its user looks at what an operation
// returns (IsSaturated) and decides how loud to be.
//
// Every member may be called by any thread at any time, and is wait-free but for the retries of
// compare-exchange.
#ifndef JACQUARD_LOCK_REFCOUNT_H_
#define JACQUARD_LOCK_REFCOUNT_H_

#include <atomic>
#include <concepts>
#include <limits>

namespace jacquard::lock {

template <std::unsigned_integral Word>
class Refcount {
 public:
  // The good values are 0 to kMax. kSaturated is as far as possible from both ends of the bad ones,
  // so that concurrent operations which have not noticed yet cannot walk out.
  static constexpr Word kMax = std::numeric_limits<Word>::max() / 2;
  static constexpr Word kSaturated = kMax + 1 + kMax / 2 + 1;

  static constexpr bool IsSaturated(Word value) { return value > kMax; }

  struct IncrementResult {
    bool incremented;
    Word before;  // the value that was raised, or that forbade it
  };

  constexpr explicit Refcount(Word initial = 0) : word_(initial) {}
  Refcount(const Refcount&) = delete;
  Refcount& operator=(const Refcount&) = delete;

  // The value at some moment; orders nothing.
  Word LoadRelaxed() const {
    // Relaxed: pairs with nothing; a hint, or stable by the caller's locks.
    return word_.load(std::memory_order_relaxed);
  }

  // The value, and everything that was done before the release operations that led to it.
  Word LoadAcquire() const {
    // Acquire: pairs with SubtractRelease; those who let go are done.
    return word_.load(std::memory_order_acquire);
  }

  // Adds 1 unless the count is 0 or at least `limit`, which must be at least 2 and at most kMax (so
  // a saturated count refuses too). The first attempt guesses that nobody else has a reference
  // instead of loading the count: one atomic operation then.
  [[nodiscard]] IncrementResult IncrementUnlessZeroAcquire(Word limit) {
    Word before = 1;
    // Acquire: pairs with StoreRelease and SubtractRelease; we see what the last owner left behind.
    // Relaxed: the value is only compared.
    while (!word_.compare_exchange_weak(before, static_cast<Word>(before + 1),
                                        std::memory_order_acquire, std::memory_order_relaxed)) {
      if (before == 0 || before >= limit) return {false, before};
    }
    return {true, before};
  }

  // Adds `amount` unless the count is 0. Returns the new value: 0 if it was 0, kSaturated if it
  // would have passed kMax or had. ONE read-modify-write: a load followed by a store would lose a
  // reader's increment in between.
  [[nodiscard]] Word AddUnlessZeroRelaxed(Word amount) {
    Word before = LoadRelaxed();
    Word after;
    do {
      if (before == 0) return 0;
      const bool too_many = before > kMax || amount > kMax - before;
      after = too_many ? kSaturated : static_cast<Word>(before + amount);
      // Relaxed: pairs with nothing; what is excluded by this, the coherence of one word excludes.
    } while (!word_.compare_exchange_weak(before, after, std::memory_order_relaxed,
                                          std::memory_order_relaxed));
    return after;
  }

  // Subtracts `amount` and returns the new value; kSaturated if more was subtracted than there was,
  // or had been. What the caller did before is visible to whoever acquires the value; who gets 0
  // sees what all others did before they let go.
  Word SubtractRelease(Word amount) {
    // Release: pairs with LoadAcquire, the increment, and the load below.
    const Word before = word_.fetch_sub(amount, std::memory_order_release);
    if (before > kMax || amount > before) {
      // Relaxed: pairs with nothing; nobody acquires a saturated count.
      word_.store(kSaturated, std::memory_order_relaxed);
      return kSaturated;
    }
    const Word after = static_cast<Word>(before - amount);
    if (after == 0) {
      // Acquire: pairs with the others' SubtractRelease, whose release sequences our own
      // read-modify-write has continued. A load, not a fence, because ThreadSanitizer understands
      // it; only the last one pays.
      static_cast<void>(word_.load(std::memory_order_acquire));
    }
    return after;
  }

  // Sets the count. Only for its sole owner, who knows that it is 0: nobody else can change it.
  void StoreRelease(Word value) {
    // Release: pairs with IncrementUnlessZeroAcquire; who gets a reference sees a complete object.
    word_.store(value, std::memory_order_release);
  }

 private:
  std::atomic<Word> word_;
};

}  // namespace jacquard::lock

#endif  // JACQUARD_LOCK_REFCOUNT_H_
