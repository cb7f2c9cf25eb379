#include "sim/leaks.h"

#include <cxxabi.h>
#include <errno.h>

#include <algorithm>
#include <cstring>
#include <set>
#include <utility>
#include <vector>

#include "sim/cxx_library.h"
#include "sim/engine.h"
#include "sim/heap_check.h"
#include "sim/mappings.h"
#include "sim/real.h"
#include "sim/recorder.h"
#include "sim/thread_keys.h"

namespace jacquard::sim {

constinit ForeignMemory foreign_words;
constinit ForeignMemory library_blocks;

void ForeignMemory::Remove(uintptr_t address) {
  for (uint32_t i = count_; i-- > 0;) {
    if (ranges_[i].begin != address) continue;
    ranges_[i] = ranges_[--count_];
    recent_[(address >> 3) % kRecent] = {};
    return;
  }
}

void ForeignMemory::ClearAll() {
  if (full_) {
    std::fill_n(recent_, kRecent, Range{});
  } else {
    // Each that is there was added as one of these.
    for (uint32_t i = 0; i < count_; ++i) recent_[(ranges_[i].begin >> 3) % kRecent] = {};
  }
  count_ = 0;
  full_ = false;
}

namespace {

// How many lost blocks a report shows with the place of their allocation.
constexpr size_t kMostPlaces = 8;
// So much of a lost block is searched for pointers to others: it is only about their order.
constexpr size_t kSearchedForOrder = 1 << 16;

class LeakSearch {
 public:
  // Marks what can be found; true if that is everything.
  bool FindsAll() {
    engine.arena.ForEachLive([](Block& block) { block.marked = false; });
    FollowWritten(sizeof(uintptr_t));
    if (unmarked_ == 0) return true;
    FollowProgram();
    if (unmarked_ == 0) return true;
    FollowLibraries();
    if (unmarked_ == 0) return true;
    // Packed structures: pointers anywhere.
    engine.arena.ForEachLive([](Block& block) { block.marked = false; });
    unmarked_ = engine.arena.live_blocks();
    FollowWritten(1);
    FollowProgram();
    FollowLibraries();
    if (unmarked_ == 0) return true;
    FollowExecutable();
    return unmarked_ == 0 || unreadable_;
  }

  // The blocks that were not found, in the order of their addresses.
  std::vector<const Block*> Lost() const {
    std::vector<const Block*> lost;
    engine.arena.ForEachLive([&](Block& block) {
      if (!block.marked) lost.push_back(&block);
    });
    return lost;
  }

  // Those of them that no other one points to, if there are any.
  static std::vector<const Block*> Heads(const std::vector<const Block*>& lost) {
    std::set<const Block*> pointed_to;
    for (const Block* const block : lost) {
      const uintptr_t end = std::min(block->end(), block->begin() + kSearchedForOrder);
      for (uintptr_t at = block->begin(); at + sizeof(uintptr_t) <= end; at += sizeof(uintptr_t)) {
        const uintptr_t value = *reinterpret_cast<const uintptr_t*>(at);
        if (value - kArenaBase >= kArenaSize) continue;
        const Block* const other = engine.arena.LiveBlockAround(value);
        if (other != block) pointed_to.insert(other);
      }
    }
    std::vector<const Block*> heads;
    for (const Block* const block : lost) {
      if (!pointed_to.contains(block)) heads.push_back(block);
    }
    return heads.empty() ? lost : heads;
  }

 private:
  void FollowWritten(size_t stride) {
    stride_ = stride;
    engine.rollback.ForEachLogged([this](uintptr_t begin, uintptr_t end) {
      // A pointer may begin in this word and end in the next.
      const bool goes_on = stride_ < sizeof(uintptr_t) && engine.rollback.IsThereAfterLogged(end);
      Scan(begin, goes_on ? end + sizeof(uintptr_t) - 1 : end);
    });
    foreign_words.ForEach([this](uintptr_t begin, size_t size) {
      if (engine.EndedOwnerOfStorage(begin) == nullptr) ScanCarefully(begin, size);
    });
    VisitKeyValues(
        [](void* value, void* self) {
          static_cast<LeakSearch*>(self)->Consider(reinterpret_cast<uintptr_t>(value));
        },
        this);
    for (int i = 0; i < engine.thread_count(); ++i) FollowThread(engine.thread(i));
    // The exception that the running thread has caught; others that it has caught before follow.
    Consider(*reinterpret_cast<const uintptr_t*>(abi::__cxa_get_globals()));
    Follow();
  }

  // What it has begun with or ended with, and what is on its stack.
  void FollowThread(const SimThread& thread) {
    if (engine.HasEnded(thread)) {
      if (!thread.joined && !thread.detached) Consider(reinterpret_cast<uintptr_t>(thread.result));
      return;
    }
    Consider(reinterpret_cast<uintptr_t>(thread.argument));
    const auto pointer = reinterpret_cast<uintptr_t>(thread.context);
    const uintptr_t top = thread.stack_bottom + kStackSize;
    if (pointer < thread.stack_bottom || pointer >= top) {
      unreadable_ = true;  // the program has switched to a stack of its own
      return;
    }
    const size_t stride = std::exchange(stride_, sizeof(uintptr_t));
    Scan(pointer & ~uintptr_t{7}, top);
    stride_ = stride;
  }

  // What code without hooks has written in the program's data, and in the C++ library's. Pointers
  // lie where they belong and look as they should.
  void FollowProgram() {
    const size_t stride = std::exchange(stride_, sizeof(uintptr_t));
    disguised_ = false;
    const auto scan = [this](const char* begin, const char* end) {
      Scan((reinterpret_cast<uintptr_t>(begin) + 7) & ~uintptr_t{7},
           reinterpret_cast<uintptr_t>(end));
    };
    engine.snapshot.VisitDiffering(scan);
    cxx_library.snapshot().VisitDiffering(scan);
    stride_ = stride;
    disguised_ = true;
    Follow();
  }

  // Here they do, too: much that is looked at is not the execution's, and might be taken for one by
  // chance.
  void FollowLibraries() {
    const size_t stride = std::exchange(stride_, sizeof(uintptr_t));
    disguised_ = false;
    engine.rollback.ForEachLibrary(
        [this](uintptr_t begin, uintptr_t end) { ScanCarefully(begin, end - begin); });
    library_blocks.ForEach([this](uintptr_t begin, size_t size) { ScanCarefully(begin, size); });
    stride_ = stride;
    disguised_ = true;
    Follow();
  }

  // What code without hooks has written in the executable's data. The runtime's own is not meant.
  void FollowExecutable() {
    stride_ = sizeof(uintptr_t);
    disguised_ = false;
    const auto own = reinterpret_cast<uintptr_t>(&engine);
    engine.rollback.VisitExecutable([this, own](uintptr_t begin, uintptr_t end) {
      if (own < begin || own >= end) return Scan(begin, end);
      Scan(begin, own);
      Scan(own + sizeof(engine), end);
    });
    stride_ = 1;
    disguised_ = true;
    Follow();
  }

  void Follow() {
    while (!to_scan_.empty() && unmarked_ != 0) {
      const Block* const block = to_scan_.back();
      to_scan_.pop_back();
      Scan(block->begin(), block->end());
    }
  }

  void Scan(uintptr_t begin, uintptr_t end) {
    for (; begin + sizeof(uintptr_t) <= end; begin += stride_) {
      uintptr_t value;
      std::memcpy(&value, reinterpret_cast<const void*>(begin), sizeof(value));
      Consider(value);
    }
  }

  // The same for memory that may have been given back to the system.
  void ScanCarefully(uintptr_t begin, size_t size) {
    std::vector<char> copy(size);
    const int64_t result = CopyIfThere(copy.data(), reinterpret_cast<const void*>(begin), size);
    if (result > 0) {
      const auto copied = reinterpret_cast<uintptr_t>(copy.data());
      Scan(copied, copied + static_cast<size_t>(result));
    } else if (result != -EFAULT) {
      unreadable_ = true;  // a sandbox forbids it: nothing is certain
    }
  }

  // A pointer may carry marks in its highest 16 bits, or have been shifted up to make room for them
  // in the lowest.
  void Consider(uintptr_t value) {
    ConsiderPointer(value);
    if (value >> 48 == 0 || !disguised_) return;
    ConsiderPointer(value & ((uintptr_t{1} << 48) - 1));
    ConsiderPointer(value >> 16);
  }

  void ConsiderPointer(uintptr_t value) {
    if (value - kArenaBase >= kArenaSize) return;
    Block* const block = engine.arena.LiveBlockAround(value);
    if (block == nullptr || block->marked) return;
    block->marked = true;
    --unmarked_;
    to_scan_.push_back(block);
  }

  uint32_t unmarked_ = engine.arena.live_blocks();
  size_t stride_ = sizeof(uintptr_t);
  bool disguised_ = true;
  bool unreadable_ = false;
  std::vector<const Block*> to_scan_;
};

}  // namespace

void CheckLeaks() {
  if (foreign_words.full() || library_blocks.full()) return;  // there may be a pointer
  jacquard_entry_registers = {};  // no place of the program's, but it lies among its globals
  HeapMessage message;
  Blame blame;
  {
    const RealHeap real_heap;
    UnprotectPages();  // nobody else needs them now, and there may be pointers
    LeakSearch search;
    if (search.FindsAll()) return;
    const std::vector<const Block*> all = search.Lost();
    const std::vector<const Block*> heads = LeakSearch::Heads(all);
    size_t bytes = 0;
    for (const Block* const block : all) bytes += block->size;
    if (all.size() == 1) {
      message.AddBlock(*heads[0]);
      message.AddHistory(*heads[0]);
      message.Add(" was never freed, and nothing points to it any more");
    } else {
      message.Add(
          "%zu blocks with %zu bytes were never freed, and nothing points to them any more; ",
          all.size(), bytes);
      message.AddBlock(*heads[0]);
      message.AddHistory(*heads[0]);
      message.Add(" is the first");
    }
    blame.operation = heads[0]->allocated_by.operation;
    if (engine.recorder != nullptr) {
      for (size_t i = 0; i < std::min(heads.size(), kMostPlaces); ++i)
        engine.recorder->AddPlacesOf(*heads[i]);
    }
  }
  engine.Fail(VerdictKind::kLeak, "memory leak", message.text(), blame);
}

}  // namespace jacquard::sim
