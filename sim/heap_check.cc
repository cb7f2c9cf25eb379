#include "sim/heap_check.h"

#include <algorithm>
#include <cstdarg>
#include <cstdio>

#include "sim/caller.h"
#include "sim/fiber.h"
#include "sim/frames.h"
#include "sim/leaks.h"
#include "sim/recorder.h"

namespace jacquard::sim {

uintptr_t near_tag = kNearTag;

namespace {

// A program may switch to stacks of its own: then nothing is known about the thread's.
bool IsOnStack(uintptr_t address, int stack) { return address - StackBottom(stack) < kStackSize; }

const char* Verb(AccessKind kind) { return kind == AccessKind::kRead ? "reads" : "writes"; }

// "a byte", "5 bytes".
void AddBytes(HeapMessage& message, size_t count) {
  if (count == 1) {
    message.Add("a byte");
  } else {
    message.Add("%zu bytes", count);
  }
}

void AddThread(HeapMessage& message, int thread) {
  if (thread < 0) {
    message.Add("the harness");
  } else {
    message.Add("thread %d", thread);
  }
}

[[noreturn]] void ReportArenaAccess(uintptr_t begin, size_t size, AccessKind kind, uintptr_t pc) {
  HeapMessage message;
  message.Add("%s ", Verb(kind));
  AddBytes(message, size);
  const Block* const block = engine.arena.BlockNear(reinterpret_cast<const void*>(begin));
  constexpr size_t kBeside = 64;
  const bool beside =
      block != nullptr && begin + size + kBeside > block->begin() && begin < block->end() + kBeside;
  if (!beside) {
    message.Add(" of heap memory that was never allocated");
    FailOnHeap("heap memory never allocated", message, nullptr, pc);
  }
  const char* rule = "heap overflow";
  if (begin < block->begin()) {
    rule = "heap underflow";
    message.Add(", beginning ");
    AddBytes(message, block->begin() - begin);
    message.Add(" before ");
  } else if (begin >= block->end()) {
    message.Add(", beginning ");
    AddBytes(message, begin - block->end());
    message.Add(" behind the end of ");
  } else {
    message.Add(" from byte %zu on of ", static_cast<size_t>(begin - block->begin()));
    if (block->state != Block::State::kLive) rule = "use after free";
  }
  message.AddBlock(*block);
  message.AddHistory(*block);
  FailOnHeap(rule, message, block, pc);
}

[[noreturn]] void ReportStackAccess(const SimThread& owner, bool ended, size_t size,
                                    AccessKind kind, uintptr_t pc) {
  HeapMessage message;
  message.Add("%s ", Verb(kind));
  AddBytes(message, size);
  message.Add(" on the stack of ");
  AddThread(message, owner.id);
  message.Add(ended ? ", which has ended" : ", in a function that has returned");
  engine.Fail(VerdictKind::kStackError, "stack use after return", message.text(), {.pc = pc});
}

void CheckStackAccess(uintptr_t begin, size_t size, AccessKind kind, uintptr_t pc, void* frame) {
  const auto stack = static_cast<int>((begin - kStackArea) / kStackStride);
  SimThread* const owner = engine.OwnerOfStack(stack);
  if (owner == nullptr || !IsOnStack(begin, stack)) return;
  const bool ended = owner->id >= 0 && engine.HasEnded(*owner);
  // What lies above the stack pointer is in use. The hook's frame is the first thing below the
  // running thread's; one that waits has frames of the runtime.
  const uintptr_t pointer = owner == engine.current ? reinterpret_cast<uintptr_t>(frame)
                            : owner->id < 0         ? reinterpret_cast<uintptr_t>(owner->context)
                                                    : engine.EndOfProgramsStack(*owner);
  const bool in_use = !IsOnStack(pointer, stack) || begin >= pointer;
  if (ended || !in_use) ReportStackAccess(*owner, ended, size, kind, pc);
}

// Variables that are thread_local live as long as their thread.
[[noreturn]] void ReportThreadLocal(const SimThread& owner, size_t size, AccessKind kind,
                                    uintptr_t pc) {
  HeapMessage message;
  message.Add("%s ", Verb(kind));
  AddBytes(message, size);
  message.Add(" in the thread-local storage of ");
  AddThread(message, owner.id);
  message.Add(", which has ended");
  engine.Fail(VerdictKind::kStackError, "thread-local variable used after its thread has ended",
              message.text(), {.pc = pc});
}

}  // namespace

void Engine::FindEndOfProgramsStack(SimThread& thread) {
  thread.end_context = thread.context;
  thread.end_schedule = schedule_;
  thread.end_of_stack = reinterpret_cast<uintptr_t>(thread.context);
  VisitFrames(FramePointerOf(thread.context), thread.stack_bottom, thread.stack_bottom + kStackSize,
              [&](uintptr_t frame, uintptr_t caller) {
                thread.end_of_stack = frame + 2 * sizeof(uintptr_t);
                return FromRuntime(reinterpret_cast<const void*>(caller));
              });
}

void CheckRareAccess(const void* address, size_t size, AccessKind kind, uintptr_t pc, void* frame) {
  if (size == 0) return;
  const auto begin = reinterpret_cast<uintptr_t>(address);
  if (engine.arena.Contains(address)) {
    if (!engine.arena.Accessible(address, size) && HeapIsJudged())
      ReportArenaAccess(begin, size, kind, pc);
  } else if (begin - kStackArea < (kMaxThreads + 1) * kStackStride) {
    if (HeapIsJudged()) CheckStackAccess(begin, size, kind, pc, frame);
  } else {
    if (const SimThread* const owner = engine.EndedOwnerOfStorage(begin);
        owner != nullptr && HeapIsJudged()) [[unlikely]]
      ReportThreadLocal(*owner, size, kind, pc);
    if (kind == AccessKind::kWrite && !engine.rollback.Covers(address) &&
        engine.OnExecutingThread())
      foreign_words.Add(begin, size);
  }
}

namespace {

// What CheckElsewhere cannot tell by looking at the address alone.
[[gnu::noinline]] void CheckClosely(const void* address, size_t size, AccessKind kind, uintptr_t pc,
                                    void* frame) {
  if (SurelyOnHeap(address, size)) return;
  const auto bits = reinterpret_cast<uintptr_t>(address);
  if (!IsFarAway(address) && engine.IsInUseByOther(bits)) return;
  CheckRareAccess(address, size, kind, pc, frame);
}

}  // namespace

void CheckElsewhere(const void* address, size_t size, AccessKind kind, uintptr_t pc, void* frame) {
  if (SurelyOnStack(address, frame)) return;
  // What is far away matters only when it is written, and is not a global.
  if (IsFarAway(address)) {
    if (kind == AccessKind::kRead || engine.rollback.Covers(address)) return;
    const auto bits = reinterpret_cast<uintptr_t>(address);
    if (bits % 8 + size <= 8 && foreign_words.Has(bits)) return;
  }
  [[clang::musttail]] return CheckClosely(address, size, kind, pc, frame);
}

// ---- messages

void HeapMessage::Add(const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  const int length = std::vsnprintf(text_ + length_, sizeof(text_) - length_, format, arguments);
  va_end(arguments);
  if (length > 0) length_ = std::min(length_ + static_cast<size_t>(length), sizeof(text_) - 1);
}

void HeapMessage::AddBlock(const Block& block) {
  Add("a block of ");
  AddBytes(*this, block.size);
}

void HeapMessage::AddHistory(const Block& block) {
  Add(" that ");
  AddThread(*this, block.allocated_by.thread);
  Add(" allocated with %s%s", block.aligned ? "aligned " : "", AllocatorName(block.allocator));
  if (block.state == Block::State::kLive) return;
  Add(" and ");
  AddThread(*this, block.freed_by.thread);
  Add(" freed");
}

const char* AllocatorName(Allocator allocator) {
  switch (allocator) {
    case Allocator::kMalloc:
      return "malloc";
    case Allocator::kNew:
      return "new";
    case Allocator::kNewArray:
      return "new[]";
  }
  return "unknown";
}

void FailOnHeap(const char* rule, const HeapMessage& message, const Block* block, uintptr_t pc) {
  Blame blame = {.pc = pc};
  if (block != nullptr) {
    // Who else is involved: of a block that was freed whoever freed it, else who allocated it.
    blame.operation = block->state == Block::State::kLive ? block->allocated_by.operation
                                                          : block->freed_by.operation;
    if (engine.recorder != nullptr) engine.recorder->AddPlacesOf(*block);
  }
  engine.Fail(VerdictKind::kHeapError, rule, message.text(), blame);
}

}  // namespace jacquard::sim
