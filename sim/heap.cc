// The allocator's functions, for the whole process.
//
// An allocation that the program's own code makes in an execution comes from the arena; one that a
// shared library which is no part of it makes for itself (a stdio buffer, a locale's cache)
// outlives the execution and comes from the real heap (real_blocks.h). Exceptions, and texts that
// the C library makes for its caller, are the program's, although a library allocates them.
//
// Whoever frees a block must do it once, and with the function that belongs to the one that
// allocated it: that is judged here, accesses in heap_check.h, and what is never freed in leaks.h.
#include "sim/heap.h"

#include <errno.h>
#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <span>

#include "sim/caller.h"
#include "sim/cxx_library.h"
#include "sim/engine.h"
#include "sim/heap_check.h"
#include "sim/hooked_code.h"
#include "sim/leaks.h"
#include "sim/lent_functions.h"
#include "sim/lent_storage.h"
#include "sim/loaded_libraries.h"
#include "sim/lock_holders.h"
#include "sim/races.h"
#include "sim/real.h"
#include "sim/real_blocks.h"
#include "sim/recorder.h"

// Set by the linker: the end of the executable's data.
extern "C" const char end;

namespace jacquard::sim {
namespace {

HeapCaller RunningThread() {
  return {static_cast<int16_t>(engine.current->id),
          static_cast<int16_t>(engine.current->operation)};
}

// The calls that the running thread is in; none if they are not kept.
std::span<const uintptr_t> Calls() {
  const SimThread& me = *engine.current;
  if (me.call_depth <= 0 || me.call_depth > SimThread::kMaxCallStack) return {};
  return {me.call_stack, static_cast<size_t>(me.call_depth)};
}

// Whether a library has called the function that is running, as it calls an operator new that the
// program defines: for itself.
bool OperatorRunsForLibrary() {
  const std::span<const uintptr_t> calls = Calls();
  if (!ProgramHasNew() || calls.empty()) return false;
  const auto* const caller = reinterpret_cast<const void*>(calls.back());
  return !FromProgram(caller) && !cxx_library.Contains(caller);
}

void LearnLibraries() {
  const RealHeap real_heap;
  cxx_library.StayIfOthersUseIt();
  lent_functions.Find();
  engine.SeeAsNeeded();
}

}  // namespace

bool UseArena(const void* caller) {
  if (!engine.InExecution()) return false;
  if (engine.library_serves_program) return true;
  if (!FromProgram(caller)) return false;
  if (loaded_libraries.HaveChanged()) [[unlikely]] {
    LearnLibraries();
    return !OperatorRunsForLibrary() && !lent_functions.RunForLibrary();
  }
  return !OperatorRunsForLibrary() && !lent_functions.RunForLibrary(Calls(), caller);
}

namespace {

// By malloc it gets memory for exceptions, which it gives back itself.
bool IsNewOfCxxLibrary(const Request& request, const void* caller) {
  if (request.allocator == Allocator::kMalloc || !cxx_library.Contains(caller) ||
      !engine.InExecution())
    return false;
  if (loaded_libraries.HaveChanged()) [[unlikely]]
    LearnLibraries();
  return cxx_library.Contains(caller);
}

// Whether it is decided that there is no memory this time.
bool Fails(const void* caller) {
  return engine.options().allocations_may_fail && engine.hooks_on && FromProgram(caller) &&
         engine.Choose(PickKind::kAllocationFailure, 2) != 0;
}

void TellListener(const Block& block, bool freed) {
  if (engine.listener == nullptr || !engine.hooks_on) return;
  const Backstage backstage;
  engine.listener->OnHeap(reinterpret_cast<const void*>(block.begin()), block.size, freed);
}

void TellAllocation(const Block& block, uintptr_t pc) {
  if (engine.recorder != nullptr) engine.recorder->RecordAllocation(block, pc);
  TellListener(block, false);
}

void TellFree(const Block& block, uintptr_t pc) {
  if (engine.recorder != nullptr) engine.recorder->RecordFree(block, pc);
  TellListener(block, true);
}

// ---- allocation

// No system has so much.
constexpr size_t kTooMuch = size_t{1} << 40;

// A real heap would have had that.
[[noreturn]] void ReportNoRoom(size_t size, const void* caller) {
  HeapMessage message;
  message.Add("no room for a block of %zu bytes: the simulated heap has %zu GiB", size,
              kArenaSize >> 30);
  engine.Fail(VerdictKind::kUnsupported, "large heap", message.text(), {.pc = Address(caller)});
}

}  // namespace

void* AllocateFromArena(const Request& request, const void* caller) {
  const bool fails = Fails(caller);
  void* const result = fails ? nullptr : engine.arena.Allocate(request.size, request.alignment);
  if (result == nullptr) {
    if (!fails && request.size < kTooMuch && request.alignment < kTooMuch && HeapIsJudged())
      ReportNoRoom(request.size, caller);
    errno = ENOMEM;
    return nullptr;
  }
  Block& block = *engine.arena.BlockAt(result);
  block.allocator = request.allocator;
  block.aligned = request.aligned;
  block.allocated_by = RunningThread();
  // Else nobody has been there in this execution.
  if (engine.memory != nullptr && engine.arena.GivesOutAgain())
    engine.ForgetMemory(result, request.size);
  if (engine.seen_closely) [[unlikely]]
    TellAllocation(block, Address(caller));
  return result;
}

namespace {

// How much of what is written to a block at once the memory model remembers.
constexpr size_t kMostRemembered = 4096;

}  // namespace

void* Filled(void* block, size_t size, const void* caller) {
  if (block != nullptr && engine.memory != nullptr && engine.Simulates() && IsHookedCode(caller)) {
    CheckPlainAccess<memory::AccessKind::kPlainWrite>(block, std::min(size, kMostRemembered),
                                                      Address(caller));
  }
  return block;
}

namespace {

// So much must be asked for: `size` bytes, and perhaps a mark.
size_t WithMark(size_t size) { return engine.OnExecutingThread() ? SizeWithMark(size) : size; }

// A block that a library has taken from the real heap may hold pointers to the program's. Its first
// `kept` bytes are what they were; the others are new.
void* Known(void* block, size_t size, size_t kept = 0) {
  if (block == nullptr || !engine.OnExecutingThread()) return block;
  Mark(block);
  kept_blocks.Forget(block);  // kept if somebody has freed an earlier one there twice
  if (!arena_on) return block;
  library_blocks.Add(Address(block), size);
  if (engine.memory != nullptr && size > kept)
    engine.ForgetMemory(static_cast<char*>(block) + kept, size - kept);
  return block;
}

// Whether `block` was an execution's. It is the caller's now.
bool ForgetLibraryBlock(void* block) {
  if (!TakeMark(block)) return false;
  if (engine.OnExecutingThread()) library_blocks.Remove(Address(block));
  return true;
}

// The program has got the block before its main, if that has not begun, or the C++ library has.
void NoteEarly(void* block, const Request& request, const void* caller) {
  if (FromProgramItself(caller)) {
    early_blocks.Add(block, request.size, /*of_cxx_library=*/false);
  } else if (request.allocator != Allocator::kMalloc && FromCxxLibrary(caller)) {
    early_blocks.Add(block, request.size, /*of_cxx_library=*/true);
  }
}
void* Early(void* block, const Request& request, const void* caller) {
  if (block != nullptr && engine.IsBeforeProgram()) [[unlikely]]
    NoteEarly(block, request, caller);
  return block;
}

void* Allocate(const Request& request, const void* caller) {
  if (UseArena(caller) || IsNewOfCxxLibrary(request, caller))
    return AllocateFromArena(request, caller);
  const LentStorage storage(caller);
  void* const block = Known(request.alignment <= kDefaultAlignment
                                ? RealMalloc(WithMark(request.size))
                                : RealMemalign(request.alignment, WithMark(request.size)),
                            request.size);
  return Early(block, request, caller);
}

}  // namespace

void* AllocateByNew(const Request& request, bool throws, const void* caller) {
  for (;;) {
    void* const block = Allocate(request, caller);
    if (block != nullptr) return block;
    const std::new_handler handler = std::get_new_handler();
    if (handler != nullptr) {
      handler();
    } else if (throws) {
      throw std::bad_alloc();
    } else {
      return nullptr;
    }
  }
}

// The handler may throw.
void* AllocateByNewOrNull(const Request& request, const void* caller) noexcept {
  try {
    return AllocateByNew(request, /*throws=*/false, caller);
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}

namespace {

size_t UsableSize(void* block) {
  if (block == nullptr) return 0;
  if (engine.arena.Contains(block)) {
    const Block* const known = engine.arena.BlockAt(block);
    return known == nullptr ? 0 : known->size;
  }
  return RealUsableSize(block) - (IsMarked(block) ? sizeof(uintptr_t) : 0);
}

// ---- the way back

[[noreturn]] void ReportNoBlock(const void* address, const Release& release, uintptr_t pc) {
  HeapMessage message;
  message.Add("%s of ", release.function);
  const bool in_arena = engine.arena.Contains(address);
  const Block* const block = in_arena ? engine.arena.BlockNear(address) : nullptr;
  const bool inside =
      block != nullptr && Address(address) < block->end() && Address(address) >= block->begin();
  if (inside) {
    message.Add("an address inside, at byte %zu of ",
                static_cast<size_t>(Address(address) - block->begin()));
    message.AddBlock(*block);
    message.AddHistory(*block);
  } else {
    message.Add(in_arena ? "heap memory that is no block"
                         : "memory that no allocation has returned");
  }
  FailOnHeap("free of what is no block", message, inside ? block : nullptr, pc);
}

[[noreturn]] void ReportRelease(const char* rule, const Release& release, const Block& block,
                                uintptr_t pc) {
  HeapMessage message;
  message.Add("%s%s ", release.aligned ? "aligned " : "", release.function);
  if (release.sized && release.size != block.size) message.Add("for %zu bytes ", release.size);
  message.Add("of ");
  message.AddBlock(block);
  message.AddHistory(block);
  FailOnHeap(rule, message, &block, pc);
}

// The block that the program gives back. Null if there is none and nobody is to be blamed.
Block* Released(void* address, const Release& release, uintptr_t pc) {
  Block* const block = engine.arena.BlockAt(address);
  const bool live = block != nullptr && block->state == Block::State::kLive;
  if (!HeapIsJudged()) return live ? block : nullptr;
  if (block == nullptr) ReportNoBlock(address, release, pc);
  if (!live) ReportRelease("double free", release, *block, pc);
  if (block->allocator != release.allocator || block->aligned != release.aligned ||
      (release.sized && block->size != release.size)) {
    ReportRelease("mismatched free", release, *block, pc);
  }
  return block;
}

void FreeInArena(Block& block, uintptr_t pc) {
  const void* const begin = reinterpret_cast<const void*>(block.begin());
  if (engine.hooks_on) lock_holders.CheckNoneHeld(begin, block.size, pc);
  // What a library frees it may have synchronised by means of its own.
  if (engine.memory != nullptr && FromProgram(reinterpret_cast<const void*>(pc)))
    CheckFree(begin, block.size, pc);
  block.freed_by = RunningThread();
  if (engine.seen_closely) [[unlikely]]
    TellFree(block, pc);
  engine.arena.Free(block);
}

// Whether no block can be there: memory of the executable, of a stack, or between two blocks.
bool IsNoRealBlock(const void* address) {
  return (address >= &__executable_start && address < &::end) ||
         Address(address) - kStackArea < (kMaxThreads + 1) * kStackStride ||
         Address(address) % kDefaultAlignment != 0;
}

void CheckRealBlock(const void* address, const Release& release, const void* caller) {
  if (HeapIsJudged() && IsNoRealBlock(address)) [[unlikely]]
    ReportNoBlock(address, release, Address(caller));
}

// To free is to write. Of a block from before the execution nothing else says that it is gone when
// somebody uses it afterwards.
void WriteAll(const void* block, uintptr_t pc) {
  const size_t size = RealUsableSize(const_cast<void*>(block));
  CheckFree(block, size, pc);
  if (engine.memory != nullptr && engine.Simulates())
    CheckPlainAccess<memory::AccessKind::kPlainWrite>(block, std::min(size, kMostRemembered), pc);
}

// The execution gives back a block from before it.
void Keep(void* block, const Release& release, const void* caller) {
  if (engine.hooks_on) lock_holders.CheckNoneHeld(block, RealUsableSize(block), Address(caller));
  if (kept_blocks.Keep(block)) return WriteAll(block, Address(caller));
  if (!HeapIsJudged()) return;
  HeapMessage message;
  message.Add("%s of a block from before the execution, which has freed it already",
              release.function);
  FailOnHeap("double free", message, nullptr, Address(caller));
}

void FreeReal(void* address, const Release& release, const void* caller) {
  if (address == nullptr) return;
  const LentStorage storage(caller);
  if (engine.InExecution()) CheckRealBlock(address, release, caller);
  if (!ForgetLibraryBlock(address)) {
    if (engine.InExecution()) return Keep(address, release, caller);
    kept_blocks.Forget(address);
    if (engine.IsBeforeProgram()) early_blocks.Remove(address);
  }
  RealFree(address);
}

}  // namespace

void Free(void* address, const Release& release, const void* caller) {
  if (!engine.arena.Contains(address)) return FreeReal(address, release, caller);
  // What an execution has left behind is gone.
  if (!engine.OnExecutingThread()) return;
  if (Block* const block = Released(address, release, Address(caller)))
    FreeInArena(*block, Address(caller));
}

namespace {

void* ReallocateReal(void* address, size_t size, const Release& release, const void* caller) {
  if (!engine.InExecution()) {
    ForgetLibraryBlock(address);
    kept_blocks.Forget(address);
    if (engine.IsBeforeProgram()) early_blocks.Remove(address);
    return Early(Known(RealRealloc(address, WithMark(size)), size), {size}, caller);
  }
  CheckRealBlock(address, release, caller);
  const size_t old_size = UsableSize(address);
  if (size != 0 && ForgetLibraryBlock(address)) {
    void* const block = RealRealloc(address, SizeWithMark(size));
    if (block != nullptr) return Known(block, size, block == address ? old_size : 0);
    Known(address, old_size, old_size);
    return nullptr;
  }
  void* const moved = size != 0 ? Allocate({.size = size}, caller) : nullptr;
  if (size != 0 && moved == nullptr) return nullptr;
  if (moved != nullptr) std::memcpy(moved, address, std::min(size, old_size));
  FreeReal(address, release, caller);
  return moved;
}

void* Reallocate(void* address, size_t size, const void* caller) {
  constexpr Release kRelease = {.function = "realloc"};
  if (address == nullptr) return Allocate({.size = size}, caller);
  if (!engine.arena.Contains(address)) return ReallocateReal(address, size, kRelease, caller);
  if (!engine.OnExecutingThread()) return nullptr;
  Block* const block = Released(address, kRelease, Address(caller));
  if (block == nullptr) return nullptr;
  void* moved = nullptr;
  if (size != 0) {  // else it is a free
    moved = Allocate({.size = size}, caller);
    if (moved == nullptr) return nullptr;
    const size_t kept = std::min<size_t>(block->size, size);
    std::memcpy(moved, address, kept);
    Filled(moved, kept, caller);
  }
  FreeInArena(*block, Address(caller));
  return moved;
}

}  // namespace
}  // namespace jacquard::sim

using jacquard::sim::AccessKind;
using jacquard::sim::Address;
using jacquard::sim::Allocate;
using jacquard::sim::AllocateFromArena;
using jacquard::sim::CheckAccess;
using jacquard::sim::Early;
using jacquard::sim::engine;
using jacquard::sim::Filled;
using jacquard::sim::Free;
using jacquard::sim::Known;
using jacquard::sim::RealCalloc;
using jacquard::sim::Reallocate;
using jacquard::sim::RealMalloc;
using jacquard::sim::UseArena;
using jacquard::sim::WithMark;

extern "C" {

void* malloc(size_t size) { return Allocate({.size = size}, JACQUARD_RETURN_ADDRESS); }

void free(void* block) { Free(block, {.function = "free"}, JACQUARD_RETURN_ADDRESS); }

void* calloc(size_t count, size_t size) {
  size_t bytes;
  if (__builtin_mul_overflow(count, size, &bytes)) bytes = SIZE_MAX;
  if (!UseArena(JACQUARD_RETURN_ADDRESS))
    return Early(Known(RealCalloc(WithMark(bytes)), bytes), {bytes}, JACQUARD_RETURN_ADDRESS);
  void* const block = AllocateFromArena({.size = bytes}, JACQUARD_RETURN_ADDRESS);
  if (block == nullptr) return nullptr;
  std::memset(block, 0, jacquard::sim::Arena::FilledSize(block, bytes));
  return Filled(block, bytes, JACQUARD_RETURN_ADDRESS);
}

void* realloc(void* block, size_t size) { return Reallocate(block, size, JACQUARD_RETURN_ADDRESS); }

void* reallocarray(void* block, size_t count, size_t size) {
  size_t bytes;
  if (__builtin_mul_overflow(count, size, &bytes)) bytes = SIZE_MAX;
  return Reallocate(block, bytes, JACQUARD_RETURN_ADDRESS);
}

void* memalign(size_t alignment, size_t size) {
  return Allocate({.size = size, .alignment = alignment}, JACQUARD_RETURN_ADDRESS);
}

void* aligned_alloc(size_t alignment, size_t size) {
  return Allocate({.size = size, .alignment = alignment}, JACQUARD_RETURN_ADDRESS);
}

void* valloc(size_t size) {
  return Allocate({.size = size, .alignment = static_cast<size_t>(sysconf(_SC_PAGESIZE))},
                  JACQUARD_RETURN_ADDRESS);
}

int posix_memalign(void** result, size_t alignment, size_t size) {
  if (alignment == 0 || alignment % sizeof(void*) != 0 || (alignment & (alignment - 1)) != 0)
    return EINVAL;
  const int error = errno;
  void* const block = Allocate({.size = size, .alignment = alignment}, JACQUARD_RETURN_ADDRESS);
  errno = error;
  if (block == nullptr) return ENOMEM;
  if (engine.OnExecutingThread()) {
    CheckAccess(result, sizeof(*result), AccessKind::kWrite, Address(JACQUARD_RETURN_ADDRESS));
    engine.LogGlobal(result, sizeof(*result));
  }
  *result = block;
  return 0;
}

// What a test framework calls instead, whose records outlive an execution, and what calls a
// program's main, which must not go through an operator new of the program's.
void* jacquard_outside_malloc(size_t size) {
  void* const block = RealMalloc(WithMark(size));
  if (block != nullptr && engine.OnExecutingThread()) jacquard::sim::Mark(block);
  return block;
}

void* jacquard_outside_new(size_t size) {
  void* const block = jacquard_outside_malloc(size);
  if (block == nullptr) throw std::bad_alloc();
  return block;
}

void* jacquard_outside_new_array(size_t size) { return jacquard_outside_new(size); }

void jacquard_outside_delete(void* block) {
  Free(block, {.function = "free"}, JACQUARD_RETURN_ADDRESS);
}

void jacquard_outside_delete_sized(void* block, size_t /*size*/) { jacquard_outside_delete(block); }

size_t malloc_usable_size(void* block) { return jacquard::sim::UsableSize(block); }

}  // extern "C"
