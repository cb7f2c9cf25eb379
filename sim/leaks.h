// Leaks: blocks of the heap that are still there at the end of an execution, and that nothing
// points to any more.
//
// A block that a global, a library's data or another such block points to is kept on purpose (a
// cache, a singleton): the roll-back takes it away. So a search for pointers begins at what the
// execution has written outside of its heap and stacks. That is known: in the executable's data
// the roll-back has a log of it, elsewhere the hooks tell. Only if blocks are left over are the
// places looked at where code without hooks may have put a pointer.
#ifndef JACQUARD_SIM_LEAKS_H_
#define JACQUARD_SIM_LEAKS_H_

#include <cstddef>
#include <cstdint>

namespace jacquard::sim {

// A set of memory ranges that belong neither to the execution's heap and stacks nor to the
// executable's data.
class ForeignMemory {
 public:
  // `size` bytes at `address` are written by the execution.
  void Add(uintptr_t address, size_t size) {
    const uintptr_t first = address & ~uintptr_t{7};
    const Range range = {first, ((address + size + 7) & ~uintptr_t{7}) - first};
    Range& recent = recent_[(first >> 3) % kRecent];
    if (recent.begin == range.begin && recent.size >= range.size) return;
    recent = range;
    if (count_ == kMost) {
      full_ = true;
    } else {
      ranges_[count_++] = range;
    }
  }

  // Whether Add would find that it has been told before. Of at most 8 bytes within a multiple of
  // 8.
  bool Has(uintptr_t address) const {
    return recent_[(address >> 3) % kRecent].begin == (address & ~uintptr_t{7});
  }

  // The range that begins at `address` is gone, if it is one of these.
  void Remove(uintptr_t address);

  // Some could not be kept.
  bool full() const { return full_; }

  template <class Visit>
  void ForEach(Visit visit) const {
    for (uint32_t i = 0; i < count_; ++i) visit(ranges_[i].begin, ranges_[i].size);
  }

  void Clear() {
    if (count_ != 0) ClearAll();
  }

 private:
  void ClearAll();

  struct Range {
    uintptr_t begin;
    size_t size;
  };
  static constexpr uint32_t kMost = 4096;
  static constexpr uint32_t kRecent = 256;

  Range ranges_[kMost] = {};
  Range recent_[kRecent] = {};  // what is not to be added again
  uint32_t count_ = 0;
  bool full_ = false;
};

// What the hooks have seen written.
[[gnu::visibility("hidden")]] extern ForeignMemory foreign_words;
// What libraries have allocated for themselves.
[[gnu::visibility("hidden")]] extern ForeignMemory library_blocks;

// Searches for leaks among the live blocks, and ends the execution if there are any. Called at the
// end of an execution that has passed: when all threads have ended, or when one of them, the
// running one, ends the program. Then what a thread's stack points to is kept as well. Costs the
// size of all that it looks at.
void CheckLeaks();

}  // namespace jacquard::sim

#endif  // JACQUARD_SIM_LEAKS_H_
