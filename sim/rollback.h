// The log that rolls globals back: what instrumented code overwrites in the executable's data
// during an execution is put back afterwards.
//
// Shared libraries keep their data, but for locks.
//
// Byte-exact: a neighbouring variable that uninstrumented code writes (a coverage counter,
// GoogleTest's records) keeps its value even in the same word.
#ifndef JACQUARD_SIM_ROLLBACK_H_
#define JACQUARD_SIM_ROLLBACK_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "sim/arena.h"

namespace jacquard::sim {

class Rollback {
 public:
  // Finds the executable's writable data. Call once.
  void Init();

  // From now on what the program has allocated by now is covered as well, as far as it lies in the
  // heap behind the executable, up to 1 GiB of it. Before the first execution.
  void CoverHeap();

  // Whether that was asked for, as it is for a program with a main of its own.
  bool CoversHeap() const { return covers_heap_; }

  // Whether `address` lies in the executable's data, or in the heap that is covered.
  bool Covers(const void* address) const {
    return reinterpret_cast<uintptr_t>(address) - begin_ < length_;
  }

  // Whether `address` lies where the shared libraries have their data, or among it.
  bool IsInLibraries(const void* address) const {
    return reinterpret_cast<uintptr_t>(address) - libraries_.begin <
           libraries_.end - libraries_.begin;
  }

  // To be called before `size` bytes at `address` are written; ignores what it does not cover.
  void BeforeWrite(const void* address, size_t size) {
    if (Covers(address)) [[unlikely]]
      Log(reinterpret_cast<uintptr_t>(address), size);
  }

  // The same before a lock is written, which may also be one of a shared library's own: the thread
  // that would have released it may be given up. Slower, but for locks in the arena.
  void BeforeLockWrite(const void* lock, size_t size) {
    if (reinterpret_cast<uintptr_t>(lock) - kArenaBase >= kArenaSize) [[unlikely]]
      LogLock(lock, size);
  }

  // Whether the word that begins at `address` is there: it lies on the page of the one before it,
  // or it is in the log.
  bool IsThereAfterLogged(uintptr_t address) const {
    return address % 4096 != 0 ||
           (address - begin_ < length_ && logged_[(address - begin_) / 8] != 0);
  }

  // Calls `visit(begin, end)`, in addresses, for each word of the executable's data that is in the
  // log, or for all data of the executable, or for each shared library's.
  template <class Visit>
  void ForEachLogged(Visit visit) const {
    for (const Entry& entry : log_) {
      const auto word = reinterpret_cast<uintptr_t>(entry.word);
      visit(word, word + sizeof(*entry.word));
    }
  }
  template <class Visit>
  void VisitExecutable(Visit visit) const {
    for (const Range& range : executable_data_) visit(range.begin, range.end);
  }
  template <class Visit>
  void ForEachLibrary(Visit visit) const {
    for (const Range& range : library_data_) visit(range.begin, range.end);
  }

  // Puts the old values back and empties the log.
  void Undo();

 private:
  struct Entry {
    uint64_t* word;
    uint64_t old;
    uint8_t mask;  // which bytes of it
  };

  // The contents of a lock in a shared library.
  struct LockEntry {
    void* lock;
    size_t size;
    char old[48];
  };
  struct Range {
    uintptr_t begin;
    uintptr_t end;
  };

  void Log(uintptr_t address, size_t size);
  void LogLock(const void* lock, size_t size);

  uintptr_t begin_ = 0;
  uintptr_t length_ = 0;
  bool covers_heap_ = false;
  std::vector<uint8_t> logged_;  // per word: the bytes that are in the log
  std::vector<Entry> log_;
  std::vector<Range> executable_data_;  // without the holes between its segments
  std::vector<Range> library_data_;
  Range libraries_ = {0, 0};  // from the first of them to the last
  std::vector<LockEntry> lock_log_;
};

}  // namespace jacquard::sim

#endif  // JACQUARD_SIM_ROLLBACK_H_
