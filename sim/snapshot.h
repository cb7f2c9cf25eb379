// What code without hooks writes in the program's data, and in blocks that it has allocated before
// main: the C library's strtok, snprintf and qsort, the streams of the C++ library, and static
// libraries that another compiler has made (GoogleTest, say). The log (rollback.h) does not know of
// it, so the data is compared with a copy after an execution, and what differs is put back.
//
// Only for programs with a main of their own: in a test, the same data holds what the test
// framework and the harness keep from one execution to the next.
#ifndef JACQUARD_SIM_SNAPSHOT_H_
#define JACQUARD_SIM_SNAPSHOT_H_

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

namespace jacquard::sim {

class Snapshot {
 public:
  // So much data is looked at after each execution: one or two microseconds.
  static constexpr size_t kSmall = 32 << 10;
  // Of more, pages are looked at after each of so many first executions, and then after one in so
  // many; those that have once differed after each.
  static constexpr uint64_t kFirstLooks = 32;
  static constexpr uint64_t kLooksEvery = 64;
  // More than that is not looked at: of data, where what is initialised comes first, and of blocks.
  static constexpr size_t kMost = 1 << 20;

  // Copies [begin, end), or as much of it as may still be added. Before the first execution.
  void Add(char* begin, char* end) { copied_ += Copy(begin, end, kMost - copied_); }
  void AddBlock(char* begin, char* end) {
    copied_blocks_ += Copy(begin, end, kMost - copied_blocks_);
  }
  // Copies the executable's data, but for the runtime's own, and for what is there in place of a
  // shared library's (environ, where the program is compiled without -fpie): libraries keep
  // theirs. Those with hooks are part of the program, and do not, nor may the C++ library
  // (cxx_library.h).
  void AddProgram();

  // visit(begin, end) for each page that is not as it was, in their order.
  template <class Visit>
  void VisitDiffering(Visit visit) const {
    for (const Page& page : pages_) {
      if (Differs(page)) visit(page.begin, page.begin + page.size);
    }
  }

  // After an execution, when the log has been undone. If `all`, each page is looked at.
  void PutBack(bool all);
  void PutBack() { PutBack(copies_.size() <= kSmall); }

 private:
  // A page, or a block.
  struct Page {
    char* begin;
    size_t size;
    size_t copy;  // its place among the copies
    bool has_differed = false;
  };

  // At most `most` bytes; returns how many.
  size_t Copy(char* begin, char* end, size_t most);
  bool Differs(const Page& page) const {
    return std::memcmp(page.begin, &copies_[page.copy], page.size) != 0;
  }
  void PutBack(Page& page);

  std::vector<Page> pages_;
  std::vector<size_t> differing_;  // which have once differed
  size_t copied_ = 0;
  size_t copied_blocks_ = 0;
  std::vector<char> copies_;
  uint64_t executions_ = 0;
};

}  // namespace jacquard::sim

#endif  // JACQUARD_SIM_SNAPSHOT_H_
