// The C library's functions that return a text in a new block: that is the caller's, which frees
// it.
#include <stdio.h>
#include <string.h>

#include <cstdarg>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "sim/caller.h"
#include "sim/engine.h"
#include "sim/heap.h"
#include "sim/heap_check.h"
#include "sim/real.h"

namespace jacquard::sim {
namespace {

// vasprintf for `caller`.
int PrintToNewBlock(char** result, const char* format, va_list arguments, const void* caller) {
  if (!UseArena(caller)) return JACQUARD_REAL(vasprintf)(result, format, arguments);
  CheckAccess(result, sizeof(*result), AccessKind::kWrite, Address(caller));
  engine.LogGlobal(result, sizeof(*result));
  const int length =
      ServingProgram([&] { return JACQUARD_REAL(vasprintf)(result, format, arguments); });
  if (length >= 0) Filled(*result, static_cast<size_t>(length) + 1, caller);
  return length;
}

}  // namespace
}  // namespace jacquard::sim

using jacquard::sim::AccessKind;
using jacquard::sim::Address;
using jacquard::sim::AllocateFromArena;
using jacquard::sim::CheckAccess;
using jacquard::sim::Filled;
using jacquard::sim::UseArena;

extern "C" {

char* strndup(const char* text, size_t most) noexcept {
  if (!UseArena(JACQUARD_RETURN_ADDRESS)) return JACQUARD_REAL(strndup)(text, most);
  const size_t length = strnlen(text, most);
  CheckAccess(text, length < most ? length + 1 : length, AccessKind::kRead,
              Address(JACQUARD_RETURN_ADDRESS));
  auto* const copy =
      static_cast<char*>(AllocateFromArena({.size = length + 1}, JACQUARD_RETURN_ADDRESS));
  if (copy == nullptr) return nullptr;
  std::memcpy(copy, text, length);
  copy[length] = 0;
  Filled(copy, length + 1, JACQUARD_RETURN_ADDRESS);
  return copy;
}

char* strdup(const char* text) noexcept {
  if (!UseArena(JACQUARD_RETURN_ADDRESS)) return JACQUARD_REAL(strdup)(text);
  const size_t size = std::strlen(text) + 1;
  CheckAccess(text, size, AccessKind::kRead, Address(JACQUARD_RETURN_ADDRESS));
  void* const copy = AllocateFromArena({.size = size}, JACQUARD_RETURN_ADDRESS);
  if (copy == nullptr) return nullptr;
  std::memcpy(copy, text, size);
  return static_cast<char*>(Filled(copy, size, JACQUARD_RETURN_ADDRESS));
}

int vasprintf(char** result, const char* format, va_list arguments) noexcept {
  return jacquard::sim::PrintToNewBlock(result, format, arguments, JACQUARD_RETURN_ADDRESS);
}

int asprintf(char** result, const char* format, ...) noexcept {
  va_list arguments;
  va_start(arguments, format);
  const int length =
      jacquard::sim::PrintToNewBlock(result, format, arguments, JACQUARD_RETURN_ADDRESS);
  va_end(arguments);
  return length;
}

}  // extern "C"
