// Memory that the program maps by itself. What it does not ask for at a certain address lies in a
// range of its own: at the same place in every execution, and apart from the libraries' data. It is
// unmapped when the execution is over, and so is what lies elsewhere but was free before. There the
// kernel gives out addresses again: what was known of accesses there is about other memory, and
// nobody has to order anything after them.
//
// What a program with a main of its own maps before that, in constructors, lies in another range,
// and begins each execution with what it has when main does: the roll-back covers it.
//
// To take memory away is as good as to write to it: who may still access it then ends the program.
#include "sim/mappings.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdarg>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "sim/caller.h"
#include "sim/engine.h"
#include "sim/page.h"
#include "sim/races.h"
#include "sim/real.h"
#include "sim/shared_mappings.h"
#include "sim/signals.h"
#include "sim/strategy.h"
#include "sim/unsupported.h"

namespace jacquard::sim {
namespace {

constexpr uintptr_t kMapArea = 0x1300'0000'0000;
constexpr uintptr_t kMapEnd = 0x1400'0000'0000;
constexpr uintptr_t kEarlyArea = kMapEnd;
constexpr uintptr_t kEarlyEnd = 0x1500'0000'0000;
constexpr size_t kHugePage = 2 << 20;
constexpr size_t kGap = 64 << 10;  // behind each mapping: an overflow is a fault

uintptr_t next = kMapArea;

// Constructors of the program may run before the runtime's: all of this is there from the start.
class Mappings {
 public:
  constexpr Mappings() = default;

  static size_t Rounded(size_t size) { return (size + kPageSize - 1) & ~(kPageSize - 1); }

  void Add(uintptr_t begin, size_t size) {
    if (count_ < kMost) ranges_[count_++] = {begin, begin + Rounded(size)};
  }
  // The pages are there no more, or are others.
  void Remove(uintptr_t begin, size_t size) {
    const uintptr_t end = begin + Rounded(size);
    for (size_t i = count_; i-- > 0;) {
      const Range range = ranges_[i];
      if (range.end <= begin || end <= range.begin) continue;
      ranges_[i] = ranges_[--count_];
      if (range.begin < begin) Add(range.begin, begin - range.begin);
      if (end < range.end) Add(end, range.end - end);
    }
  }
  bool Overlaps(const void* memory, size_t size) const {
    const auto begin = reinterpret_cast<uintptr_t>(memory);
    return std::any_of(ranges_, ranges_ + count_, [=](const Range& range) {
      return begin < range.end && range.begin < begin + Rounded(size);
    });
  }
  // Without what is too large to be kept a copy of: allocators reserve such memory.
  std::vector<DataRange> ranges() const {
    std::vector<DataRange> result;
    for (const Range& range : std::span(ranges_, count_)) {
      if (range.end - range.begin > kLargest) continue;
      result.push_back({reinterpret_cast<char*>(range.begin), reinterpret_cast<char*>(range.end)});
    }
    return result;
  }

  void UnmapAll() {
    for (const Range& range : std::span(ranges_, count_))
      JACQUARD_REAL(munmap)(reinterpret_cast<void*>(range.begin), range.end - range.begin);
    count_ = 0;
  }

 private:
  static constexpr size_t kMost = 1024;
  static constexpr size_t kLargest = 256 << 20;
  struct Range {
    uintptr_t begin;
    uintptr_t end;
  };

  size_t count_ = 0;
  Range ranges_[kMost] = {};
};

// What has been mapped before main.
constinit Mappings early;
uintptr_t next_early = kEarlyArea;

// What the execution has mapped outside of the range.
constinit Mappings elsewhere;

// What it shares with other processes.
constinit SharedMappings shared;

// Whether the program maps, in a constructor.
bool IsEarly(const void* caller) { return engine.IsBeforeProgram() && FromProgramItself(caller); }

// Whether it is data that nobody else sees.
bool IsOwn(int protection, int flags) {
  return (protection & PROT_EXEC) == 0 &&
         ((flags & MAP_ANONYMOUS) != 0 || (flags & MAP_TYPE) == MAP_PRIVATE);
}

// Pages that outlive an execution, and that it has made accessible in fewer ways.
std::vector<DataRange> protected_pages;

// Whether the next execution will write there.
bool IsWrittenAgain(const void* memory, size_t size) {
  // Data need not begin, nor end, with a page.
  const auto* const last = static_cast<const char*>(memory) + size - 1;
  return early.Overlaps(memory, size) || engine.arena.Contains(memory) ||
         engine.rollback.Covers(memory) || engine.rollback.Covers(last);
}

void NoteProtection(void* memory, size_t size, int protection) {
  if ((protection & PROT_WRITE) != 0 || size == 0 || !engine.OnExecutingThread() ||
      !IsWrittenAgain(memory, size))
    return;
  const Backstage backstage;
  auto* const begin = static_cast<char*>(memory);
  protected_pages.push_back({begin, begin + size});
}

// Whether it is the program that maps, or a library for it, and not the runtime.
bool IsByProgram(const void* caller) {
  return arena_on && engine.Simulates() && !FromRuntime(caller);
}

// The next `size` bytes of an area that ends at `end`; null: there is no room.
void* TakePlace(uintptr_t& next_place, uintptr_t end, size_t size) {
  const size_t alignment = size >= kHugePage ? kHugePage : kGap;
  const uintptr_t begin = (next_place + alignment - 1) & ~(alignment - 1);
  if (begin > end - kGap || size > end - kGap - begin) return nullptr;
  next_place = (begin + size + 2 * kGap - 1) & ~(kGap - 1);
  return reinterpret_cast<void*>(begin);
}

// Where `size` bytes for `caller` should lie; null: anywhere.
void* PlaceFor(size_t size, const void* caller) {
  if (IsEarly(caller)) return TakePlace(next_early, kEarlyEnd, size);
  // What a library maps for itself may outlive the execution.
  if (!IsByProgram(caller) || !FromProgram(caller)) return nullptr;
  return TakePlace(next, kMapEnd, size);
}

void* Mapped(void* memory, size_t size, bool own, const void* caller) {
  if (memory != MAP_FAILED && IsEarly(caller)) {
    const auto begin = reinterpret_cast<uintptr_t>(memory);
    early.Remove(begin, size);
    if (own) early.Add(begin, size);
  }
  if (memory != MAP_FAILED && IsByProgram(caller) && engine.memory != nullptr)
    engine.ForgetMemory(memory, size);
  return memory;
}

// The program has mapped this at an address of its own, or of the kernel's choice.
void NoteElsewhere(void* memory, size_t size, const void* caller) {
  if (memory == MAP_FAILED || !IsByProgram(caller) || !FromProgram(caller)) return;
  const auto begin = reinterpret_cast<uintptr_t>(memory);
  if (begin - kMapArea < kMapEnd - kMapArea) {
    next = std::max(next, (begin + size + 2 * kGap - 1) & ~(kGap - 1));
  } else {
    elsewhere.Add(begin, size);
  }
}

// The part of a file that the program shares with others; none if it is not shared, or says where
// it is to lie.
std::optional<SharedMappings::Part> SharedPart(void* address, size_t size, int protection,
                                               int flags, int file, off_t offset,
                                               const void* caller) {
  const int type = flags & MAP_TYPE;
  struct stat status;
  if ((type != MAP_SHARED && type != MAP_SHARED_VALIDATE) || (flags & MAP_ANONYMOUS) != 0 ||
      address != nullptr || !IsByProgram(caller) || !FromProgram(caller) ||
      fstat(file, &status) != 0 || !S_ISREG(status.st_mode))
    return std::nullopt;
  return SharedMappings::Part{status.st_dev,           status.st_ino, offset,
                              Mappings::Rounded(size), protection,    flags};
}

// For what orders the users of a shared mapping before the last one takes it away.
const void* LifetimeOf(const SharedMappings::Mapping& mapping) { return mapping.memory + 1; }

// One more mapping of what is there; null if it is not, or the kernel refuses.
void* MapAgain(const SharedMappings::Part& part, int file) {
  SharedMappings::Mapping* const mapping = shared.Find(part);
  if (mapping == nullptr) return nullptr;
  void* const other =
      JACQUARD_REAL(mmap)(nullptr, part.size, part.protection, part.flags, file, part.offset);
  if (other == MAP_FAILED) return nullptr;
  JACQUARD_REAL(munmap)(other, part.size);
  ++mapping->users;
  mapping->was_shared = true;
  return mapping->memory;
}

// Somebody is about to take away, or to replace, these bytes. Whether they stay for those who have
// mapped them as well.
bool StaysForOthers(const void* memory, size_t size) {
  if (!engine.OnExecutingThread()) return false;
  SharedMappings::Mapping* const mapping = shared.FindAt(memory, size);
  if (mapping == nullptr) return false;
  const bool is_all = mapping->memory == memory && mapping->part.size == Mappings::Rounded(size);
  if (mapping->users > 1) {
    if (is_all) --mapping->users;
    engine.Release(LifetimeOf(*mapping));
    return true;
  }
  if (mapping->was_shared) engine.Acquire(LifetimeOf(*mapping));
  shared.Remove(*mapping);
  return false;
}

// Whether these bytes get other rights although they were mapped with those that `protection`
// lacks: not those that somebody else has mapped.
bool KeepsRights(const void* memory, size_t size, int protection) {
  if (!engine.OnExecutingThread()) return false;
  SharedMappings::Mapping* const mapping = shared.FindAt(memory, size);
  if (mapping == nullptr || (mapping->part.protection & ~protection) == 0) return false;
  if (mapping->users > 1) return true;
  shared.Remove(*mapping);
  return false;
}

void* Map(void* address, size_t size, int protection, int flags, int file, off_t offset,
          const void* caller) {
  const auto part = SharedPart(address, size, protection, flags, file, offset, caller);
  if (part.has_value()) {
    if (void* const memory = MapAgain(*part, file)) return memory;
  }
  if ((flags & MAP_FIXED) != 0 && IsByProgram(caller) && StaysForOthers(address, size))
    Unsupported("mmap over memory that is mapped twice");
  // With MAP_32BIT a place would be ignored.
  const bool may_lie_anywhere = (flags & (MAP_FIXED | MAP_FIXED_NOREPLACE | MAP_32BIT)) == 0;
  void* const place = may_lie_anywhere && address == nullptr ? PlaceFor(size, caller) : nullptr;
  void* memory = JACQUARD_REAL(mmap)(place != nullptr ? place : address, size, protection, flags,
                                     file, offset);
  if (may_lie_anywhere && address != nullptr && memory != address && memory != MAP_FAILED) {
    // Where the program has asked for it there is no room.
    if (void* const other = PlaceFor(size, caller)) {
      JACQUARD_REAL(munmap)(memory, size);
      memory = JACQUARD_REAL(mmap)(other, size, protection, flags, file, offset);
    }
  }
  // With MAP_FIXED it may have taken the place of other memory.
  if (place == nullptr && (flags & MAP_FIXED) == 0) NoteElsewhere(memory, size, caller);
  if (memory == MAP_FAILED) return memory;
  if (part.has_value()) shared.Add(*part, memory);
  return Mapped(memory, size, IsOwn(protection, flags), caller);
}

// `size` bytes at `memory` are taken away by the program at `caller`, or have just been.
void CheckTakenAway(const void* memory, size_t size, const char* verb, const void* caller) {
  if (!engine.executing) early.Remove(reinterpret_cast<uintptr_t>(memory), size);
  if (!IsByProgram(caller) || !FromProgram(caller) || size == 0) return;
  if (HandlesSignal(SIGSEGV)) return;  // it knows what to do where somebody comes too late
  size = Mappings::Rounded(size);
  CheckFree(memory, size, reinterpret_cast<uintptr_t>(caller), verb);
  if (engine.listener == nullptr) return;
  const Backstage backstage;
  engine.listener->OnHeap(memory, size, /*freed=*/true);
}

}  // namespace

std::vector<DataRange> MappedBeforeMain() { return early.ranges(); }

void UnprotectPages() {
  for (const DataRange& range : protected_pages) {
    JACQUARD_REAL(mprotect)
    (range.begin, static_cast<size_t>(range.end - range.begin), PROT_READ | PROT_WRITE);
  }
  protected_pages.clear();
}

void UnmapProgramsMemory() {
  shared.Clear();
  elsewhere.UnmapAll();
  if (next == kMapArea) return;
  JACQUARD_REAL(munmap)(reinterpret_cast<void*>(kMapArea), next - kMapArea);
  next = kMapArea;
}

}  // namespace jacquard::sim

using jacquard::sim::CheckTakenAway;
using jacquard::sim::early;
using jacquard::sim::elsewhere;
using jacquard::sim::engine;
using jacquard::sim::IsEarly;
using jacquard::sim::KeepsRights;
using jacquard::sim::kMapArea;
using jacquard::sim::kMapEnd;
using jacquard::sim::Map;
using jacquard::sim::Mapped;
using jacquard::sim::NoteElsewhere;
using jacquard::sim::NoteProtection;
using jacquard::sim::PlaceFor;
using jacquard::sim::StaysForOthers;
using jacquard::sim::Unsupported;

extern "C" {

void* mmap(void* address, size_t size, int protection, int flags, int file, off_t offset) noexcept {
  return Map(address, size, protection, flags, file, offset, JACQUARD_RETURN_ADDRESS);
}

void* mmap64(void* address, size_t size, int protection, int flags, int file,
             off64_t offset) noexcept {
  return Map(address, size, protection, flags, file, offset, JACQUARD_RETURN_ADDRESS);
}

void* mremap(void* old, size_t old_size, size_t size, int flags, ...) noexcept {
  va_list arguments;
  va_start(arguments, flags);
  void* wanted = (flags & MREMAP_FIXED) != 0 ? va_arg(arguments, void*) : nullptr;
  va_end(arguments);
  // Where it is it must not grow over what is behind it.
  const bool may_move = (flags & MREMAP_FIXED) == 0 && (flags & MREMAP_MAYMOVE) != 0;
  if (may_move && size > old_size &&
      reinterpret_cast<uintptr_t>(old) - kMapArea < kMapEnd - kMapArea) {
    if (void* const place = PlaceFor(size, JACQUARD_RETURN_ADDRESS)) {
      wanted = place;
      flags |= MREMAP_FIXED;
    }
  }
  const bool own = early.Overlaps(old, old_size);
  if (own && engine.executing) Unsupported("mremap of memory that was mapped before main");
  if (StaysForOthers(old, old_size)) Unsupported("mremap of memory that is mapped twice");
  void* const memory = JACQUARD_REAL(mremap)(old, old_size, size, flags, wanted);
  if (memory == MAP_FAILED) return memory;
  if (memory != old) CheckTakenAway(old, old_size, "moves", JACQUARD_RETURN_ADDRESS);
  if (elsewhere.Overlaps(old, old_size)) {
    elsewhere.Remove(reinterpret_cast<uintptr_t>(old), old_size);
    NoteElsewhere(memory, size, JACQUARD_RETURN_ADDRESS);
  }
  if (memory == old && !IsEarly(JACQUARD_RETURN_ADDRESS)) return memory;
  return Mapped(memory, size, own, JACQUARD_RETURN_ADDRESS);
}

int munmap(void* memory, size_t size) noexcept {
  if (StaysForOthers(memory, size)) return 0;
  CheckTakenAway(memory, size, "unmaps", JACQUARD_RETURN_ADDRESS);
  // The next execution finds it again.
  if (engine.executing && early.Overlaps(memory, size)) return 0;
  if (engine.OnExecutingThread()) elsewhere.Remove(reinterpret_cast<uintptr_t>(memory), size);
  return JACQUARD_REAL(munmap)(memory, size);
}

int mprotect(void* memory, size_t size, int protection) noexcept {
  if (KeepsRights(memory, size, protection)) return 0;
  if (engine.executing) {
    if (protection == PROT_NONE) CheckTakenAway(memory, size, "protects", JACQUARD_RETURN_ADDRESS);
    NoteProtection(memory, size, protection);
  }
  return JACQUARD_REAL(mprotect)(memory, size, protection);
}

}  // extern "C"
