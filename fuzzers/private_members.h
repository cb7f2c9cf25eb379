// Where the words of the locks lie: their private members, for the ghost state.
//
// The ghost state accounts for every change of a lock's words, so it must know them by address, and
// the locks do not say where they are: nobody else has any business there. An explicit
// instantiation may name private members (C++20, [temp.spec.general]/6); a friend function carries
// what it has named out of it. The locks need no hook, and a member that is renamed does not
// compile.
#ifndef JACQUARD_FUZZERS_PRIVATE_MEMBERS_H_
#define JACQUARD_FUZZERS_PRIVATE_MEMBERS_H_

#include <atomic>
#include <cstdint>

#include "lock/mmap_lock.h"
#include "lock/refcount.h"
#include "lock/rw_semaphore.h"
#include "lock/vma_lock.h"
#include "lock/widths.h"

namespace jacquard::fuzzers {

// Explicitly instantiated below, once for each tag: defines the friend that the tag declares.
template <typename Tag, typename Tag::Type kValue>
struct Expose {
  friend constexpr typename Tag::Type Exposed(Tag) { return kValue; }
};

// --- The semaphore's word, its bits, and the mutex of its queue ---

struct SemaphoreWord {
  using Type = std::atomic<std::uint32_t> lock::RwSemaphore::*;
  friend constexpr Type Exposed(SemaphoreWord);
};
template struct Expose<SemaphoreWord, &lock::RwSemaphore::word_>;

struct SemaphoreMutex {
  using Type = lock::Mutex lock::RwSemaphore::*;
  friend constexpr Type Exposed(SemaphoreMutex);
};
template struct Expose<SemaphoreMutex, &lock::RwSemaphore::mutex_>;

template <int>
struct SemaphoreBit {
  using Type = std::uint32_t;
  friend constexpr Type Exposed(SemaphoreBit);
};
using SemaphoreWriterBit = SemaphoreBit<0>;
using SemaphoreWaitersBit = SemaphoreBit<1>;
using SemaphoreReaderUnit = SemaphoreBit<2>;
template struct Expose<SemaphoreWriterBit, lock::RwSemaphore::kWriter>;
template struct Expose<SemaphoreWaitersBit, lock::RwSemaphore::kWaiters>;
template struct Expose<SemaphoreReaderUnit, lock::RwSemaphore::kReader>;

// --- A VMA lock's two numbers, and whose it is ---

template <lock::LockWidths Widths>
struct VmaWord {
  using Type = lock::Refcount<typename Widths::Word> lock::BasicVmaLock<Widths>::*;
  friend constexpr Type Exposed(VmaWord);
};
template <lock::LockWidths Widths>
struct VmaSequence {
  using Type =
      std::atomic<typename lock::BasicVmaLock<Widths>::SequenceValue> lock::BasicVmaLock<Widths>::*;
  friend constexpr Type Exposed(VmaSequence);
};

template <lock::LockWidths Widths>
struct VmaOwner {
  using Type =
      std::atomic<typename lock::BasicVmaLock<Widths>::Mmap*> lock::BasicVmaLock<Widths>::*;
  friend constexpr Type Exposed(VmaOwner);
};

#define JACQUARD_EXPOSE_VMA_LOCK(Widths)                                             \
  template struct Expose<VmaOwner<Widths>, &lock::BasicVmaLock<Widths>::mm_>;        \
  template struct Expose<VmaWord<Widths>, &lock::BasicVmaLock<Widths>::references_>; \
  template struct Expose<VmaSequence<Widths>, &lock::BasicVmaLock<Widths>::lock_sequence_>
JACQUARD_EXPOSE_VMA_LOCK(lock::KernelWidths);
JACQUARD_EXPOSE_VMA_LOCK(lock::NarrowWidths);
JACQUARD_EXPOSE_VMA_LOCK(lock::TinyWidths);
#undef JACQUARD_EXPOSE_VMA_LOCK

}  // namespace jacquard::fuzzers

#endif  // JACQUARD_FUZZERS_PRIVATE_MEMBERS_H_
