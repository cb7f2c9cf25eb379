// Blocks of the real heap, as an execution meets them. There are two kinds.
//
// Those that a library, or the runtime, has allocated for itself in an execution, this one or an
// earlier one, carry a *mark* in their last 8 bytes. They are freed when somebody frees them.
//
// All others were there before the execution: the buffer of a global vector, say. The pointer to
// such a block comes back when the execution's writes are undone, and so must the block: what an
// execution frees of them is *kept*. A test makes such blocks between executions, too, and may hand
// them over to the code under test, which frees them once and for ever; so, from time to time, the
// kept blocks are freed that nothing points to any more.
#ifndef JACQUARD_SIM_REAL_BLOCKS_H_
#define JACQUARD_SIM_REAL_BLOCKS_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "sim/hooked_library.h"
#include "sim/real.h"

namespace jacquard::sim {

// The real heap's own functions. Memory from Calloc is zero.
void* RealMalloc(size_t size);
void* RealCalloc(size_t size);
void* RealMemalign(size_t alignment, size_t size);
void* RealRealloc(void* block, size_t size);
void RealFree(void* block);
// Whether the thread that executes is in one of them, and may hold its locks.
bool RealHeapIsBusy();

// From the process's beginning on, blocks of any size lie together. From now on large ones come
// from the system one by one, as they do when the C library has adapted its threshold.
void LetLargeBlocksBeApart();

// So much must be asked for, for a block of `size` bytes and its mark. (An empty one is larger than
// that anyway.)
inline size_t SizeWithMark(size_t size) {
  constexpr size_t kMark = sizeof(uintptr_t);
  return size == 0 || size > SIZE_MAX - kMark ? size : size + kMark;
}

// The bytes of a block of the real heap, with its mark. Not of those in the arena.
size_t RealUsableSize(void* block);

// Marks `block`, which has room for it.
void Mark(void* block);
bool IsMarked(void* block);
// Whether `block` was marked; it is no longer.
bool TakeMark(void* block);

// For what is called by the allocator's functions. (Nor do the C++ library's trees and hash tables
// serve here: whoever writes them in an execution has it undone, cxx_containers.cc.)
template <class T>
struct RealAllocator {
  using value_type = T;
  RealAllocator() = default;
  template <class Other>
  explicit RealAllocator(const RealAllocator<Other>& /*other*/) {}
  T* allocate(size_t count) { return static_cast<T*>(RealMalloc(count * sizeof(T))); }
  void deallocate(T* block, size_t /*count*/) { RealFree(block); }
  bool operator==(const RealAllocator& /*other*/) const { return true; }
};

// What the program itself has allocated before its main, and not freed, or the C++ library by
// operator new: code without hooks may write there (snapshot.h). For programs with a main of their
// own. Constructors may run before the
// runtime's: all of this is there from the start. Not thread-safe: a program whose constructors
// start threads is refused.
class EarlyBlocks {
 public:
  constexpr EarlyBlocks() = default;

  void Add(void* block, size_t size, bool of_cxx_library);
  void Remove(void* block);
  // In the order of their addresses, with or without the C++ library's. None if there have been too
  // many.
  std::vector<DataRange> ranges(bool with_cxx_librarys) const;

 private:
  static constexpr size_t kSlots = 1 << 15;  // open addressing
  struct Early {
    uintptr_t address;
    size_t size;  // 0: it is there no more
    bool of_cxx_library;
  };

  Early& Find(uintptr_t address);

  Early slots_[kSlots] = {};
  size_t used_ = 0;
};

[[gnu::visibility("hidden")]] extern EarlyBlocks early_blocks;

// Thread-safe: real threads may free blocks, too.
class KeptBlocks {
 public:
  // Another execution begins.
  void BeginExecution() { ++execution_; }

  // The execution frees `block`. False: it has done so before.
  bool Keep(void* block);

  // Somebody is about to free `block` for real, outside of an execution.
  void Forget(void* block) {
    if (any_.load(std::memory_order_relaxed)) ForgetOne(block);
  }

  // After an execution whose writes are undone: if there are many blocks, frees those that have
  // been there for long, as whoever frees one in each execution has done so again by now, and that
  // neither the data of the executable, nor a block from before the first test, nor another one of
  // them points to. Not for a program with a main of its own: all that it has was there before
  // main.
  void Sweep();

 private:
  static constexpr size_t kFirstCount = 1024;
  static constexpr uint64_t kLong = 1000;  // executions
  static constexpr size_t kFirstBytes = 64 << 20;
  static constexpr uintptr_t kNothing = 0;
  static constexpr uintptr_t kForgotten = 1;

  struct Kept {
    uintptr_t address = kNothing;
    uint64_t execution = 0;   // the last one that has freed it
    bool comes_back = false;  // more than one has
    bool reachable = false;
  };
  template <class T>
  using Vector = std::vector<T, RealAllocator<T>>;

  void ForgetOne(void* block);
  // Where `address` is, or is to be.
  Kept& Find(uintptr_t address);
  void MakeTable(const Vector<Kept>& blocks);
  Vector<Kept> Sorted() const;
  // Marks what a word in there points to.
  void Scan(uintptr_t begin, uintptr_t end);

  Vector<Kept> table_;  // by address: open addressing, never more than half full
  uint64_t execution_ = 0;
  size_t used_ = 0;   // places in it that are not kNothing
  size_t bytes_ = 0;  // in all blocks
  // When there are so many, it is time for the next sweep.
  size_t count_limit_ = kFirstCount;
  size_t bytes_limit_ = kFirstBytes;
  // During a sweep.
  Vector<Kept> sorted_;
  Vector<uintptr_t> to_scan_;
  // Whether there are blocks. One that is just being kept, nobody frees for real at the same time.
  std::atomic<bool> any_ = false;
  std::atomic<bool> lock_ = false;
};

[[gnu::visibility("hidden")]] extern KeptBlocks kept_blocks;

}  // namespace jacquard::sim

#endif  // JACQUARD_SIM_REAL_BLOCKS_H_
