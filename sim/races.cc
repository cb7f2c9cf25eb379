#include "sim/races.h"

#include <cstdio>
#include <string>
#include <string_view>
#include <utility>

#include "sim/caller.h"
#include "sim/coverage_counters.h"
#include "sim/cxx_library.h"
#include "sim/engine.h"
#include "sim/fiber.h"
#include "sim/heap_check.h"
#include "sim/library_bugs.h"
#include "sim/memory/memory.h"
#include "sim/recorder.h"
#include "sim/shared_state.h"

namespace jacquard::sim {
namespace {

using memory::AccessKind;
using memory::Race;

bool IsWrite(AccessKind kind) {
  return kind == AccessKind::kPlainWrite || kind == AccessKind::kAtomicWrite;
}
bool IsPlain(AccessKind kind) {
  return kind == AccessKind::kPlainRead || kind == AccessKind::kPlainWrite;
}

std::string Bytes(uint64_t size) { return std::to_string(size) + (size == 1 ? " byte" : " bytes"); }

// "thread 1 in write_lock".
std::string Who(int thread) {
  std::string text = "thread " + std::to_string(thread);
  const std::string operation = engine.program().OperationName(engine.thread(thread).operation);
  return operation.empty() ? text : text + " (" + operation + ")";
}

// What has no name: " in a block of 8 bytes that thread 1 allocated with new", or nothing.
std::string Surroundings(uintptr_t address) {
  const auto* const pointer = reinterpret_cast<const void*>(address);
  if (engine.arena.Contains(pointer)) {
    const Block* const block = engine.arena.BlockNear(pointer);
    if (block == nullptr || address < block->begin() || address >= block->end()) return {};
    HeapMessage message;
    message.Add(", byte %zu of ", static_cast<size_t>(address - block->begin()));
    message.AddBlock(*block);
    message.AddHistory(*block);
    return message.text();
  }
  const uintptr_t stack = (address - kStackArea) / kStackStride;
  if (stack >= static_cast<uintptr_t>(engine.thread_count())) return {};
  return " on the stack of thread " + std::to_string(stack);
}

std::string ObjectAt(uintptr_t address) {
  if (const char* const state = NameOfSharedState(address)) return state;
  std::string name = engine.program().NameOf(reinterpret_cast<const void*>(address));
  if (!name.empty()) return name;
  char hexadecimal[32];
  std::snprintf(hexadecimal, sizeof(hexadecimal), "%#lx", address);
  return hexadecimal + Surroundings(address);
}

// "table" where it is called "table+8" or "thread 1's table": the same for each part, and for each
// thread.
std::string VariableAt(uintptr_t address) {
  std::string name = engine.program().NameOf(reinterpret_cast<const void*>(address));
  const size_t plus = name.rfind('+');
  if (plus != std::string::npos &&
      name.find_first_not_of("0123456789", plus + 1) == std::string::npos)
    name.resize(plus);
  constexpr std::string_view kOwner = "'s ";
  const size_t owner = name.starts_with("thread ") ? name.find(kOwner) : std::string::npos;
  return owner == std::string::npos ? name : name.substr(owner + kOwner.size());
}

bool IsUseOfLock(const Race& race, AccessKind kind) {
  return race.of_lock && kind == AccessKind::kAtomicRead;
}
std::string KindName(const Race& race, AccessKind kind) {
  return IsUseOfLock(race, kind) ? "use of a lock" : memory::AccessKindName(kind);
}

// The same for both orders of the two accesses.
std::string Rule(const Race& race) {
  std::string a = KindName(race, race.kind);
  std::string b = KindName(race, race.earlier_kind);
  if (b < a) std::swap(a, b);
  return a + " and " + b;
}

std::string WhatIsMissing(const Race& race) {
  const std::string earlier = "thread " + std::to_string(race.earlier_thread);
  if (race.read_without_acquire) {
    return "what " + earlier +
           " released after it has been read, but by an operation that does not acquire, and "
           "without an acquire fence";
  }
  if (race.before_construction && !race.of_lock) {
    return "no release/acquire between the two; if the write is the construction of the atomic "
           "object, another thread knows the object too early";
  }
  return "no release/acquire between the two (nor a mutex, a thread's start or its join)";
}

std::string Message(const Race& race, const char* verb) {
  std::string text = Who(race.thread);
  if (IsUseOfLock(race, race.kind)) {
    text += " uses the lock at ";
  } else {
    text += (IsPlain(race.kind) ? " " : " atomically ") + std::string(verb) + " " +
            Bytes(race.size) + " of ";
  }
  text += ObjectAt(race.address) + ", and nothing orders this after the " +
          KindName(race, race.earlier_kind) + " by " + Who(race.earlier_thread);
  if (race.earlier_address != race.address || race.earlier_size != race.size) {
    text += " (" + Bytes(race.earlier_size) + " of " + ObjectAt(race.earlier_address) + ")";
  }
  return text + ": " + WhatIsMissing(race);
}

[[noreturn]] void Report(const Race& race, const char* verb, uintptr_t pc) {
  // Kept, since this stack is given up.
  static std::string rule;
  static std::string message;
  static std::string variable;
  {
    const Backstage backstage;
    rule = Rule(race);
    variable = VariableAt(race.address);
    message = Message(race, verb);
    if (engine.recorder != nullptr) engine.recorder->AddPlaceOfEarlierAccess(race);
  }
  engine.Fail(VerdictKind::kRace, rule, message, {.pc = pc, .variable = variable});
}

// Whether nobody can help it who uses the library as it is.
bool IsOfLibrary(const Race& race, uintptr_t pc) {
  if (engine.options().library_bugs || !IsPlain(race.kind) || !IsPlain(race.earlier_kind))
    return false;
  if (!IsInAtomicSharedPtr(*engine.current, pc)) return false;
  engine.NoteLibraryBug();
  return true;
}

}  // namespace

void OnRace(uintptr_t pc) {
  const Race& race = engine.memory->race();
  if (!IsCoverageCounter(race.address) && !IsOfLibrary(race, pc))
    Report(race, IsWrite(race.kind) ? "writes" : "reads", pc);
  engine.memory->ForgetRace();
}

template <memory::AccessKind kKind>
void CheckPlainRange(const char* begin, size_t size, uintptr_t pc) {
  constexpr bool kWrites = kKind == memory::AccessKind::kPlainWrite;
  while (size > 0) {
    const size_t known = repeated_accesses.CountKnown<kWrites>(begin, size);
    const size_t unknown = repeated_accesses.CountUnknown<kWrites>(begin + known, size - known);
    if (unknown > 0 && IsPlainRace<kKind>(begin + known, unknown)) [[unlikely]]
      OnRace(pc);
    repeated_accesses.Note<kWrites>(begin + known, unknown);
    begin += known + unknown;
    size -= known + unknown;
  }
}

template void CheckPlainRange<memory::AccessKind::kPlainRead>(const char*, size_t, uintptr_t);
template void CheckPlainRange<memory::AccessKind::kPlainWrite>(const char*, size_t, uintptr_t);

void NotePlainAccess(memory::AccessKind kind, const void* address, size_t size, uintptr_t pc) {
  engine.recorder->NoteAccess(kind, address, size, pc);
}

void CheckUseOfLock(const void* lock, size_t size, uintptr_t pc) {
  if (engine.memory == nullptr || !IsWatchedForRaces(lock)) return;
  // Who else has used it before, and how that is ordered, a library without hooks knows alone.
  const auto* const caller = reinterpret_cast<const void*>(pc);
  if (!FromProgram(caller) && !FromCxxLibrary(caller)) return;
  if (engine.memory->UseLock(engine.current->id, lock, static_cast<uint32_t>(size))) [[unlikely]]
    OnRace(pc);
  if (engine.recorder != nullptr && !engine.memory->IsAlone()) [[unlikely]]
    NotePlainAccess(memory::AccessKind::kAtomicRead, lock, size, pc);
}

void CheckFree(const void* block, size_t size, uintptr_t pc, const char* verb) {
  if (engine.memory == nullptr || !engine.Simulates() || size == 0) return;
  if (engine.memory->IsAlone() || !IsWatchedForRaces(block)) return;
  if (engine.memory->Free(engine.current->id, block, size)) [[unlikely]]
    Report(engine.memory->race(), verb, pc);
  if (engine.recorder != nullptr) [[unlikely]]
    NotePlainAccess(memory::AccessKind::kPlainWrite, block, size, pc);
}

}  // namespace jacquard::sim
