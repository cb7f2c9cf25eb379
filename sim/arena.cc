#include "sim/arena.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstring>

#include "sim/message.h"

namespace jacquard::sim {

bool arena_on = false;

namespace {

// Stands before each block.
struct Header {
  uint64_t size;
  uint64_t state;
};
constexpr uint64_t kLive = 0x4c49'5645'4a41'4351;
constexpr uint64_t kFreed = 0x4652'4545'4a41'4351;
constexpr int kPattern = 0xCD;
// More than this is given back to the system at the end of an execution.
constexpr size_t kKeep = 16 << 20;

Header* HeaderOf(const void* block) {
  return reinterpret_cast<Header*>(reinterpret_cast<uintptr_t>(block) - sizeof(Header));
}

}  // namespace

void Arena::Init() {
  void* const wanted = reinterpret_cast<void*>(kArenaBase);
  void* const got = mmap(wanted, kArenaSize, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);
  if (got != wanted) Die("cannot reserve memory for the heap of an execution");
}

void* Arena::Allocate(size_t size, size_t alignment) {
  alignment = std::max(alignment, sizeof(Header));
  const uintptr_t block = (next_ + sizeof(Header) + alignment - 1) & ~(alignment - 1);
  if (size > kArenaSize || block + size > kArenaBase + kArenaSize) return nullptr;
  next_ = block + size;
  void* const result = reinterpret_cast<void*>(block);
  *HeaderOf(result) = {size, kLive};
  std::memset(result, kPattern, FilledSize(result, size));
  return result;
}

// Above the part that is kept, each execution begins with zeros from the system.
size_t Arena::FilledSize(const void* block, size_t size) {
  const uintptr_t begin = reinterpret_cast<uintptr_t>(block);
  constexpr uintptr_t kEnd = kArenaBase + kKeep;
  return begin >= kEnd ? 0 : std::min<size_t>(size, kEnd - begin);
}

bool Arena::Free(void* block) {
  if (reinterpret_cast<uintptr_t>(block) < kArenaBase + sizeof(Header)) return false;
  Header* const header = HeaderOf(block);
  if (header->state != kLive) return false;
  header->state = kFreed;
  return true;
}

size_t Arena::SizeOf(const void* block) { return HeaderOf(block)->size; }

void Arena::Reset() {
  if (next_ - kArenaBase > kKeep) {
    madvise(reinterpret_cast<void*>(kArenaBase + kKeep), next_ - kArenaBase - kKeep, MADV_DONTNEED);
  }
  next_ = kArenaBase;
}

}  // namespace jacquard::sim
