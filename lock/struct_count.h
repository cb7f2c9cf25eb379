// How many hold on to a structure, so that its memory stays, whatever has become of what it stood
// for.
//
// An mm has two lives. Its *users* share the address space; with the last of them the mappings go.
// The *structure*, with the lock and the place where its writer sleeps, must stay for whoever still
// has to touch it: a reader that met a recycled VMA, and has to wake a writer of an mm that it
// never heard of before. This is the count of the structure; the users together hold one. (The
// kernel's mm_count, and mm_users in address_space.h.)
//
// Also of those who share any other structure, such as the owner of pages.
#ifndef JACQUARD_LOCK_STRUCT_COUNT_H_
#define JACQUARD_LOCK_STRUCT_COUNT_H_

#include <cstdint>

#include "lock/check.h"
#include "lock/refcount.h"

namespace jacquard::lock {

class StructCount {
 public:
  StructCount() = default;  // the owner's hold
  ~StructCount() {
    JACQUARD_LOCK_CHECK(count_.LoadRelaxed() <= 1, "destroyed while somebody holds on to it");
  }
  StructCount(const StructCount&) = delete;
  StructCount& operator=(const StructCount&) = delete;

  // One more holds on. Somebody must hold on already, or keep those from letting go who do
  // (checked).
  void Grab() {
    const bool grabbed =
        count_.IncrementUnlessZeroAcquire(Refcount<std::uint32_t>::kMax).incremented;
    JACQUARD_LOCK_CHECK(grabbed, "grabbed after its end");
  }

  // One less. True for the last one, who has seen what all others did, and destroys the structure.
  [[nodiscard]] bool Drop() {
    const std::uint32_t count = count_.SubtractRelease(1);
    JACQUARD_LOCK_CHECK(!Refcount<std::uint32_t>::IsSaturated(count), "dropped too often");
    return count == 0;
  }

  // At some moment.
  std::uint32_t LoadRelaxed() const { return count_.LoadRelaxed(); }

 private:
  Refcount<std::uint32_t> count_{1};
};

}  // namespace jacquard::lock

#endif  // JACQUARD_LOCK_STRUCT_COUNT_H_
