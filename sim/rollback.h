// The log that rolls globals back: what instrumented code overwrites in the executable's data
// during an execution is put back afterwards.
//
// Shared libraries keep their data, but for locks, and unless they are part of the program. So are
// the first thread's thread-local variables where the program has a main of its own: they lie among
// the libraries' data, and what is said of a library's here holds for them.
//
// Byte-exact: a neighbouring variable that uninstrumented code writes (a coverage counter,
// GoogleTest's records) keeps its value even in the same word.
#ifndef JACQUARD_SIM_ROLLBACK_H_
#define JACQUARD_SIM_ROLLBACK_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "sim/arena.h"
#include "sim/fiber.h"
#include "sim/hooked_library.h"
#include "sim/page.h"

namespace jacquard::sim {

// Stacks and the arena lie together; whether `address` lies elsewhere.
inline bool IsFarAway(const void* address) {
  return reinterpret_cast<uintptr_t>(address) - kStackArea >= kArenaBase + kArenaSize - kStackArea;
}

class Rollback {
 public:
  // Finds the executable's writable data, the first time.
  void Init();

  // From now on the blocks are covered as well that have been allocated by now in the heap behind
  // the executable, up to 1 GiB of it. Before the first execution; the first call counts.
  void CoverHeap();

  // From now on this data of shared libraries is covered as well: it is part of the program. Before
  // the first execution.
  void CoverLibraries(const std::vector<DataRange>& data);

  // Whether `block`, of the real heap, lies where blocks are covered.
  bool IsAmongCovered(const void* block) const {
    return reinterpret_cast<uintptr_t>(block) - heap_begin_ < heap_length_;
  }
  // A block has just been allocated there: its memory is no longer covered. Thread-safe.
  void IsNew(const void* block, size_t size);

  // Whether `address` lies in the data of the executable or of a library that is part of the
  // program, or in a block that is covered.
  bool Covers(const void* address) const {
    const auto bits = reinterpret_cast<uintptr_t>(address);
    if (!IsFarAway(address)) return false;  // mostly
    const uintptr_t offset = bits - near_.begin;
    return offset < data_length_ || (offset < near_.length && CoversOnHeap(bits)) ||
           CoversInLibrary(bits);
  }

  // Whether `address` lies where the shared libraries have their data, or among it. They may be
  // part of the program.
  bool IsInLibraries(const void* address) const {
    return libraries_.Contains(reinterpret_cast<uintptr_t>(address));
  }

  // The same without those that are part of the program.
  bool IsInOtherLibraries(const void* address) const {
    return IsInLibraries(address) && !CoversInLibrary(reinterpret_cast<uintptr_t>(address)) &&
           !IsInOpenedLibraries(address);
  }
  // Now these are open that are part of the program for this execution, and go with it: they have
  // this data, which is not covered.
  void SetOpenedLibraries(std::vector<DataRange> data) { opened_data_ = std::move(data); }

  bool IsInOpenedLibraries(const void* address) const { return IsIn(opened_data_, address); }

  // Whether `address` lies in the executable's data: it is covered, and always there.
  bool IsInExecutable(const void* address) const {
    return reinterpret_cast<uintptr_t>(address) - near_.begin < data_length_;
  }
  // Whether these bytes, of one word, are in the log: there is nothing left to do before they are
  // written. False also means "not known".
  bool HasLogged(const void* address, size_t size) const {
    const auto bits = reinterpret_cast<uintptr_t>(address);
    if (!near_.Contains(bits) || size > 8 || bits % 8 + size > 8) return false;
    const unsigned touched = ((1u << size) - 1) << bits % 8;
    return (touched & ~unsigned{near_.LoggedAt(bits)}) == 0;
  }

  // To be called before `size` bytes at `address` are written; ignores what it does not cover.
  [[gnu::always_inline]] void BeforeWrite(const void* address, size_t size) {
    if (MayMatter(address, size)) [[unlikely]]
      LogIfCovered(address, size);
  }
  // False: BeforeWrite() would do nothing.
  [[gnu::always_inline]] bool MayMatter(const void* address, size_t size) const {
    const auto bits = reinterpret_cast<uintptr_t>(address);
    if (!IsFarAway(address)) return false;
    return near_.Contains(bits) ? !HasLogged(address, size) : covered_libraries_.Contains(bits);
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
    return address % kPageSize != 0 || (near_.Contains(address) && near_.LoggedAt(address) != 0);
  }

  // Calls `visit(begin, end)`, in addresses, for each covered word that is in the log, or for all
  // that is covered, or for each shared library's data.
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
    size_t begin = 0;
    const size_t end = UnitsThere();
    for (size_t unit = 0; unit <= end; ++unit) {
      if (unit != end && new_units_[unit] == 0) continue;
      if (begin != unit) visit(heap_begin_ + begin * kUnit, heap_begin_ + unit * kUnit);
      begin = unit + 1;
    }
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
    uint8_t* logged;  // of its area
    uint8_t mask;     // which bytes of it
  };

  // The contents of a lock in a shared library.
  struct LockEntry {
    void* lock;
    size_t size;
    char old[48];
  };
  struct Range {
    bool Contains(uintptr_t address) const { return address - begin < end - begin; }

    uintptr_t begin;
    uintptr_t end;
  };
  // Memory in one piece, of whole words, and for each word which of its bytes are in the log.
  struct Area {
    bool Contains(uintptr_t address) const { return address - begin < length; }
    const uint8_t& LoggedAt(uintptr_t word) const { return logged[(word - begin) / 8]; }
    uint8_t& LoggedAt(uintptr_t word) { return logged[(word - begin) / 8]; }

    uintptr_t begin = 0;
    uintptr_t length = 0;
    std::vector<uint8_t> logged;
  };

  static constexpr size_t kUnit = 16;  // blocks of the real heap begin at its multiples

  [[gnu::noinline]] void LogIfCovered(const void* address, size_t size);
  void Log(uintptr_t address, size_t size);
  void LogIn(Area& area, uintptr_t address, size_t size);
  // So many units of the heap have not been given back to the system.
  size_t UnitsThere() const;
  void LogLock(const void* lock, size_t size);
  bool CoversInLibrary(uintptr_t address) const {
    return covered_libraries_.Contains(address) && AreaInLibrary(address) != nullptr;
  }
  // Null if there is none.
  const Area* AreaInLibrary(uintptr_t address) const;
  bool CoversOnHeap(uintptr_t address) const {
    const uintptr_t offset = address - heap_begin_;
    return offset < heap_length_ && new_units_[offset / kUnit] == 0;
  }

  Area near_;                  // the executable's data, and the heap
  uintptr_t data_length_ = 0;  // of it: the executable's data
  uintptr_t heap_begin_ = 0;
  uintptr_t heap_length_ = 0;
  std::vector<uint8_t> new_units_;  // of the heap: 1 is no longer covered
  std::vector<Entry> log_;
  std::vector<Range> executable_data_;  // without the holes between its segments
  std::vector<Range> library_data_;
  Range libraries_ = {0, 0};  // from the first of them to the last
  std::vector<Area> library_areas_;
  std::vector<DataRange> opened_data_;
  Range covered_libraries_ = {0, 0};  // from the first of these to the last
  std::vector<LockEntry> lock_log_;
};

}  // namespace jacquard::sim

#endif  // JACQUARD_SIM_ROLLBACK_H_
