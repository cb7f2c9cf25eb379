// What a lock tells a validator, and the validator that wants to know nothing.
//
// The word of a lock says *that* somebody is inside, never *who*: an assertion "do I hold this?"
// can only be answered by somebody who has kept books. So the locks here take a validator as a
// template argument and tell it of each acquisition and release. NoValidator is empty: with it a
// lock compiles to what it is without these calls, and assertions fall back to what the word says.
// lockdep/validator.h has the one that keeps books.
//
// The calls stand where they must stand to be true of the caller at every moment: an acquisition
// that may wait is announced before the wait (so that a cycle is seen before it becomes a
// deadlock), one that cannot wait after it has succeeded; a release is announced before the lock is
// given back, as the lock may be gone afterwards.
#ifndef JACQUARD_LOCK_VALIDATOR_H_
#define JACQUARD_LOCK_VALIDATOR_H_

#include <concepts>

namespace jacquard::lock {

// The answer to "does the calling thread hold this lock?". kUnknown: nobody has kept books, or has
// stopped doing so after a first report; assertions stay silent then.
enum class Held { kNo, kYes, kUnknown };

// How a lock is taken.
enum class AcquireMode {
  kExclusive,
  kShared,           // a second shared acquisition by the same thread may wait for a writer
  kSharedRecursive,  // it may not: readers come in even while a writer waits
};

// One acquisition, as the lock tells it.
struct Acquisition {
  AcquireMode mode = AcquireMode::kExclusive;
  // It cannot wait: no lock held before it can be part of a deadlock through it.
  bool try_lock = false;
  // Locks of one class that are taken one within the other tell themselves apart by this.
  int subclass = 0;
  // Or a lock keeps all others out who take several of the class, so that their order does not
  // matter: its map. It must be held.
  const void* nest_lock = nullptr;
};

// Map is the part of the validator that lives in each lock; it is made from the name of the lock's
// class, a string literal.
//
// Acquire: see Acquisition. Downgrade: what is held exclusively is held shared from now on, without
// a wait. Release: by the thread that acquired. IsHeld: by the calling thread, in any mode or in
// the given one. The calls may be made by any thread at any time.
template <class V>
concept LockValidator = requires(typename V::Map& map, const typename V::Map& const_map,
                                 const Acquisition& acquisition, AcquireMode mode) {
  typename V::Map;
  requires std::constructible_from<typename V::Map, const char*>;
  V::Acquire(map, acquisition);
  V::Downgrade(map);
  V::Release(map);
  { V::IsHeld(const_map) } -> std::same_as<Held>;
  { V::IsHeld(const_map, mode) } -> std::same_as<Held>;
};

// Keeps no books.
struct NoValidator {
  struct Map {
    explicit constexpr Map(const char* /*class_name*/) {}
  };
  static constexpr void Acquire(Map&, const Acquisition&) {}
  static constexpr void Downgrade(Map&) {}
  static constexpr void Release(Map&) {}
  static constexpr Held IsHeld(const Map&) { return Held::kUnknown; }
  static constexpr Held IsHeld(const Map&, AcquireMode) { return Held::kUnknown; }
};

static_assert(LockValidator<NoValidator>);

// Whether the validator answers for the locks: if so, kUnknown means that it has stopped, and an
// assertion stays silent; if not, the assertion goes by what the lock's word says.
template <LockValidator V>
inline constexpr bool kKeepsBooks = true;
template <>
inline constexpr bool kKeepsBooks<NoValidator> = false;

}  // namespace jacquard::lock

#endif  // JACQUARD_LOCK_VALIDATOR_H_
