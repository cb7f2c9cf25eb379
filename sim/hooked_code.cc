#include "sim/hooked_code.h"

#include <unwind.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "sim/caller.h"

extern "C" void __tsan_func_entry(void* call_site);

namespace jacquard::sim {
namespace {

// Whether there is a call of __tsan_func_entry from `begin` on, before `end`.
bool SaysThatItIsThere(const uint8_t* begin, const uint8_t* end) {
  constexpr uint8_t kCall = 0xE8;
  constexpr size_t kSize = 5;
  const auto entry = reinterpret_cast<uintptr_t>(&__tsan_func_entry);
  for (const uint8_t* at = begin; at + kSize <= end; ++at) {
    if (*at != kCall) continue;
    int32_t distance = 0;
    std::memcpy(&distance, at + 1, sizeof(distance));
    if (reinterpret_cast<uintptr_t>(at + kSize) + static_cast<uintptr_t>(distance) == entry)
      return true;
  }
  return false;
}

bool Look(const void* caller) {
  if (!FromExecutable(caller) || FromRuntime(caller)) return false;
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
