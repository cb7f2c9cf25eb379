#include "sim/hooked_code.h"

#include <unwind.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "sim/caller.h"
#include "sim/real.h"

extern "C" void __tsan_func_entry(void* call_site);

namespace jacquard::sim {
namespace {

// What the four bytes at `at` say, counted from behind them. Not a pointer's arithmetic: it may be
// nowhere.
const uint8_t* Relative(const uint8_t* at) {
  int32_t distance = 0;
  std::memcpy(&distance, at, sizeof(distance));
  const auto behind = reinterpret_cast<uintptr_t>(at) + sizeof(distance);
  return reinterpret_cast<const uint8_t*>(behind + static_cast<uintptr_t>(distance));
}

// An instruction that goes where a word of the module's table says, which the dynamic linker has
// filled in: `second` is its second byte. Null if there is another one at `at`, which may lie in
// the middle of one, so that there need not be a table.
const uint8_t* ThroughTable(const uint8_t* at, uint8_t second) {
  constexpr uint8_t kIndirect = 0xFF;
  if (at[0] != kIndirect || at[1] != second) return nullptr;
  const uint8_t* target = nullptr;
  const int64_t size = CopyIfThere(&target, Relative(at + 2), sizeof(target));
  return size == sizeof(target) ? target : nullptr;
}

// Where a library's code calls to: mostly there is a jump in between.
const uint8_t* BehindJump(const uint8_t* target) {
  constexpr uint8_t kEndBranch[] = {0xF3, 0x0F, 0x1E, 0xFA};
  constexpr uint8_t kBound = 0xF2;
  constexpr uint8_t kJump = 0x25;
  constexpr size_t kMost = sizeof(kEndBranch) + 1 + 6;
  if (!FromLibraryOfProgram(target) || !FromLibraryOfProgram(target + kMost)) return target;
  if (std::memcmp(target, kEndBranch, sizeof(kEndBranch)) == 0) target += sizeof(kEndBranch);
  if (*target == kBound) ++target;
  return ThroughTable(target, kJump);
}

// Whether there is a call of __tsan_func_entry from `begin` on, before `end`.
bool SaysThatItIsThere(const uint8_t* begin, const uint8_t* end) {
  constexpr uint8_t kCall = 0xE8;
  constexpr uint8_t kCallThroughTable = 0x15;
  constexpr size_t kSize = 5;
  const auto* const entry = reinterpret_cast<const uint8_t*>(&__tsan_func_entry);
  const bool in_library = FromLibraryOfProgram(begin);
  for (const uint8_t* at = begin; at + kSize <= end; ++at) {
    if (*at == kCall && BehindJump(Relative(at + 1)) == entry) return true;
    if (in_library && at + kSize < end && ThroughTable(at, kCallThroughTable) == entry) return true;
  }
  return false;
}

bool Look(const void* caller) {
  if (!FromProgram(caller) || FromRuntime(caller)) return false;
  // Behind what an entry does with large frames and many arguments.
  constexpr size_t kEntry = 1024;
  const auto* const end = static_cast<const uint8_t*>(caller);
  const auto* const begin =
      static_cast<const uint8_t*>(_Unwind_FindEnclosingFunction(const_cast<uint8_t*>(end - 1)));
  if (begin == nullptr || begin >= end) return false;
  return SaysThatItIsThere(begin, std::min(end, begin + kEntry));
}

// The last answers.
struct Answer {
  const void* caller;
  bool is_hooked;
};
constexpr size_t kAnswers = 4096;
constinit Answer answers[kAnswers] = {};

// The unwinder may be linked into the program (-static-libgcc): then what it calls while an answer
// is looked for is the runtime's, too. It has no hooks.
constinit bool looking = false;

}  // namespace

bool IsHookedCode(const void* caller) {
  const auto bits = reinterpret_cast<uintptr_t>(caller);
  Answer& answer = answers[(bits ^ bits >> 12) % kAnswers];
  if (answer.caller != caller) [[unlikely]] {
    if (looking) return false;
    looking = true;
    answer = {caller, Look(caller)};
    looking = false;
  }
  return answer.is_hooked;
}

}  // namespace jacquard::sim
