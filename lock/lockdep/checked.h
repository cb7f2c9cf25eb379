// A lock of the user's own, validated: Checked<std::mutex>, Checked<std::shared_mutex>, or any type
// with the member functions of one.
//
//   lockdep::Checked<std::mutex> queue_mutex("queue");
//   lockdep::Checked<std::shared_mutex> table_mutex;    // its class is named after this line
//   ...
//   const std::lock_guard guard(queue_mutex);
//
// It has lock() and unlock(), and try_lock, lock_shared, unlock_shared, try_lock_shared, and those
// with a time-out, where the lock has them. A std::condition_variable_any waits with it.
#ifndef JACQUARD_LOCK_LOCKDEP_CHECKED_H_
#define JACQUARD_LOCK_LOCKDEP_CHECKED_H_

#include <source_location>
#include <utility>

#include "lock/lockdep/validator.h"
#include "lock/thread_annotations.h"
#include "lock/validator.h"

namespace jacquard::lock::lockdep {

// `kShared`: what a shared acquisition may wait for; see AcquireMode. Readers of
// std::shared_mutex may have to wait behind a writer that waits. `V`: NoValidator to switch it off;
// then it is the lock alone.
template <class Lock, AcquireMode kShared = AcquireMode::kShared, LockValidator V = Validator>
class JACQUARD_CAPABILITY("mutex") Checked {
 public:
  // All locks that are declared in this line are of one class.
  explicit constexpr Checked(std::source_location here = std::source_location::current())
      : map_(MakeMap(here.file_name(), here.line())) {}
  // `class_name` must be a literal.
  explicit constexpr Checked(const char* class_name) : map_(class_name) {}
  Checked(const Checked&) = delete;
  Checked& operator=(const Checked&) = delete;

  // ---- exclusive

  [[gnu::always_inline]] void lock() JACQUARD_ACQUIRE() JACQUARD_NO_THREAD_SAFETY_ANALYSIS {
    V::Acquire(map_, {});
    Undo undo(*this);
    lock_.lock();
    undo.Forget();
  }
  // The same; locks of one class that are taken one within the other tell themselves apart so.
  [[gnu::always_inline]] void lock_nested(int subclass)
      JACQUARD_ACQUIRE() JACQUARD_NO_THREAD_SAFETY_ANALYSIS {
    V::Acquire(map_, {.subclass = subclass});
    Undo undo(*this);
    lock_.lock();
    undo.Forget();
  }
  // The same; `outer`, which is held, makes the order of such locks harmless.
  template <class Outer>
  [[gnu::always_inline]] void lock_within(Outer& outer)
      JACQUARD_ACQUIRE() JACQUARD_NO_THREAD_SAFETY_ANALYSIS {
    V::Acquire(map_, {.nest_lock = &outer.map()});
    Undo undo(*this);
    lock_.lock();
    undo.Forget();
  }
  [[gnu::always_inline]] bool try_lock()
      JACQUARD_TRY_ACQUIRE(true) JACQUARD_NO_THREAD_SAFETY_ANALYSIS {
    return Tried(lock_.try_lock(), AcquireMode::kExclusive);
  }
  template <class Duration>
  [[gnu::always_inline]] bool try_lock_for(const Duration& duration)
      JACQUARD_TRY_ACQUIRE(true) JACQUARD_NO_THREAD_SAFETY_ANALYSIS {
    return Tried(lock_.try_lock_for(duration), AcquireMode::kExclusive);
  }
  template <class Time>
  [[gnu::always_inline]] bool try_lock_until(const Time& time)
      JACQUARD_TRY_ACQUIRE(true) JACQUARD_NO_THREAD_SAFETY_ANALYSIS {
    return Tried(lock_.try_lock_until(time), AcquireMode::kExclusive);
  }
  [[gnu::always_inline]] void unlock() JACQUARD_RELEASE() JACQUARD_NO_THREAD_SAFETY_ANALYSIS {
    V::Release(map_);
    lock_.unlock();
  }

  // ---- shared

  [[gnu::always_inline]] void lock_shared()
      JACQUARD_ACQUIRE_SHARED() JACQUARD_NO_THREAD_SAFETY_ANALYSIS {
    V::Acquire(map_, {.mode = kShared});
    Undo undo(*this);
    lock_.lock_shared();
    undo.Forget();
  }
  [[gnu::always_inline]] bool try_lock_shared()
      JACQUARD_TRY_ACQUIRE_SHARED(true) JACQUARD_NO_THREAD_SAFETY_ANALYSIS {
    return Tried(lock_.try_lock_shared(), kShared);
  }
  template <class Duration>
  [[gnu::always_inline]] bool try_lock_shared_for(const Duration& duration)
      JACQUARD_TRY_ACQUIRE_SHARED(true) JACQUARD_NO_THREAD_SAFETY_ANALYSIS {
    return Tried(lock_.try_lock_shared_for(duration), kShared);
  }
  template <class Time>
  [[gnu::always_inline]] bool try_lock_shared_until(const Time& time)
      JACQUARD_TRY_ACQUIRE_SHARED(true) JACQUARD_NO_THREAD_SAFETY_ANALYSIS {
    return Tried(lock_.try_lock_shared_until(time), kShared);
  }
  [[gnu::always_inline]] void unlock_shared()
      JACQUARD_RELEASE_SHARED() JACQUARD_NO_THREAD_SAFETY_ANALYSIS {
    V::Release(map_);
    lock_.unlock_shared();
  }

  // ---- questions

  // Whether the calling thread holds it, in any mode or in this one.
  Held IsHeld() const { return V::IsHeld(map_); }
  Held IsHeld(AcquireMode mode) const { return V::IsHeld(map_, mode); }

  const typename V::Map& map() const { return map_; }

 private:
  // A lock that throws was not taken.
  class Undo {
   public:
    explicit Undo(Checked& checked) : checked_(&checked) {}
    ~Undo() {
      if (checked_ != nullptr) V::Release(checked_->map_);
    }
    void Forget() { checked_ = nullptr; }

   private:
    Checked* checked_;
  };

  static constexpr typename V::Map MakeMap(const char* file, unsigned line) {
    if constexpr (std::constructible_from<typename V::Map, const char*, unsigned>) {
      return typename V::Map(file, line);
    } else {
      return typename V::Map(file);
    }
  }

  [[gnu::always_inline]] bool Tried(bool taken, AcquireMode mode) {
    if (taken) V::Acquire(map_, {.mode = mode, .try_lock = true});
    return taken;
  }

  [[no_unique_address]] typename V::Map map_;
  Lock lock_;
};

}  // namespace jacquard::lock::lockdep

#endif  // JACQUARD_LOCK_LOCKDEP_CHECKED_H_
