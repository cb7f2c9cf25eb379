// Texts and bytes as the C library's functions access them, which have no hooks: for the program's
// calls they are plain accesses like its own. The *_chk forms are what _FORTIFY_SOURCE makes of
// them: too small a destination is theirs to report.
//
// What a function reads is what it needs for its answer: of two texts as much as is equal, and what
// differs.
#include <cstddef>
#include <cstdint>

#include "sim/c_function.h"
#include "sim/plain_ranges.h"

namespace jacquard::sim {
namespace {

// The length of `text`, at most `most`. Not the C library's, whose name this file takes.
[[clang::no_builtin]] size_t LengthOf(const char* text, size_t most = SIZE_MAX) {
  size_t length = 0;
  while (length < most && text[length] != 0) ++length;
  return length;
}

// The text with its end; at most `most`.
size_t SizeOf(const char* text, size_t most = SIZE_MAX) {
  const size_t length = LengthOf(text, most);
  return length < most ? length + 1 : length;
}

void ReadText(const char* text, uintptr_t pc) { NotePlainRead(text, SizeOf(text), pc); }

// Both up to the first difference. `ends`: they are texts, which may end before that.
void ReadBoth(const void* a, const void* b, size_t most, bool ends, uintptr_t pc) {
  const auto* const left = static_cast<const char*>(a);
  const auto* const right = static_cast<const char*>(b);
  size_t size = 0;
  while (size < most) {
    const char byte = left[size];
    if (byte != right[size++] || (ends && byte == 0)) break;
  }
  NotePlainRead(a, size, pc);
  NotePlainRead(b, size, pc);
}

void CopyText(char* to, const char* from, uintptr_t pc) {
  NotePlainCopy(to, from, SizeOf(from), pc);
}

// The rest of the `size` bytes is filled with zeros.
void CopyAndFill(char* to, const char* from, size_t size, uintptr_t pc) {
  NotePlainRead(from, SizeOf(from, size), pc);
  NotePlainWrite(to, size, pc);
}

// Behind the text that is there.
void Append(char* to, const char* from, size_t most, uintptr_t pc) {
  ReadText(to, pc);
  NotePlainRead(from, SizeOf(from, most), pc);
  NotePlainWrite(to + LengthOf(to), LengthOf(from, most) + 1, pc);
}

// Up to what has been found, with it.
void ReadUpTo(const void* bytes, const void* found, uintptr_t pc) {
  NotePlainRead(bytes, reinterpret_cast<uintptr_t>(found) - reinterpret_cast<uintptr_t>(bytes) + 1,
                pc);
}

void ReadToFind(const void* bytes, const void* found, size_t size, uintptr_t pc) {
  if (found != nullptr) return ReadUpTo(bytes, found, pc);
  NotePlainRead(bytes, size, pc);
}

// Nothing is known of what lies behind it.
void ReadTextToFind(const char* text, const char* found, uintptr_t pc) {
  if (found != nullptr) return ReadUpTo(text, found, pc);
  ReadText(text, pc);
}

void ReadHaystack(const char* text, const char* wanted, const char* found, uintptr_t pc) {
  ReadText(wanted, pc);
  if (found == nullptr) return ReadText(text, pc);
  NotePlainRead(text, static_cast<size_t>(found - text) + LengthOf(wanted), pc);
}

}  // namespace

// ---- read

JACQUARD_C_FUNCTION(strlen, size_t, (const char* text), (text), ReadText(text, pc))
JACQUARD_C_FUNCTION(strnlen, size_t, (const char* text, size_t most), (text, most),
                    NotePlainRead(text, SizeOf(text, most), pc))
JACQUARD_C_FUNCTION(strcmp, int, (const char* a, const char* b), (a, b),
                    ReadBoth(a, b, SIZE_MAX, true, pc))
JACQUARD_C_FUNCTION(strncmp, int, (const char* a, const char* b, size_t most), (a, b, most),
                    ReadBoth(a, b, most, true, pc))
JACQUARD_C_FUNCTION(memcmp, int, (const void* a, const void* b, size_t size), (a, b, size),
                    ReadBoth(a, b, size, false, pc))
JACQUARD_C_FUNCTION(bcmp, int, (const void* a, const void* b, size_t size), (a, b, size),
                    ReadBoth(a, b, size, false, pc))
JACQUARD_C_FUNCTION(memchr, void*, (const void* bytes, int byte, size_t size), (bytes, byte, size),
                    ReadToFind(bytes, real(bytes, byte, size), size, pc))
JACQUARD_C_FUNCTION(strchr, char*, (const char* text, int byte), (text, byte),
                    ReadTextToFind(text, real(text, byte), pc))
JACQUARD_C_FUNCTION(strrchr, char*, (const char* text, int byte), (text, byte), ReadText(text, pc))
JACQUARD_C_FUNCTION(strstr, char*, (const char* text, const char* wanted), (text, wanted),
                    ReadHaystack(text, wanted, real(text, wanted), pc))

// ---- write

JACQUARD_C_FUNCTION(strcpy, char*, (char* to, const char* from), (to, from), CopyText(to, from, pc))
JACQUARD_C_FUNCTION(stpcpy, char*, (char* to, const char* from), (to, from), CopyText(to, from, pc))
JACQUARD_C_FUNCTION(strncpy, char*, (char* to, const char* from, size_t size), (to, from, size),
                    CopyAndFill(to, from, size, pc))
JACQUARD_C_FUNCTION(strcat, char*, (char* to, const char* from), (to, from),
                    Append(to, from, SIZE_MAX, pc))
JACQUARD_C_FUNCTION(strncat, char*, (char* to, const char* from, size_t most), (to, from, most),
                    Append(to, from, most, pc))
JACQUARD_C_FUNCTION(mempcpy, void*, (void* to, const void* from, size_t size), (to, from, size),
                    NotePlainCopy(to, from, size, pc))

// ---- with the room that there is

JACQUARD_C_FUNCTION(__memcpy_chk, void*, (void* to, const void* from, size_t size, size_t room),
                    (to, from, size, room),
                    size <= room ? NotePlainCopy(to, from, size, pc) : void())
JACQUARD_C_FUNCTION(__memmove_chk, void*, (void* to, const void* from, size_t size, size_t room),
                    (to, from, size, room),
                    size <= room ? NotePlainCopy(to, from, size, pc) : void())
JACQUARD_C_FUNCTION(__mempcpy_chk, void*, (void* to, const void* from, size_t size, size_t room),
                    (to, from, size, room),
                    size <= room ? NotePlainCopy(to, from, size, pc) : void())
JACQUARD_C_FUNCTION(__memset_chk, void*, (void* to, int byte, size_t size, size_t room),
                    (to, byte, size, room), size <= room ? NotePlainWrite(to, size, pc) : void())
JACQUARD_C_FUNCTION(__strcpy_chk, char*, (char* to, const char* from, size_t room),
                    (to, from, room), SizeOf(from) <= room ? CopyText(to, from, pc) : void())
JACQUARD_C_FUNCTION(__stpcpy_chk, char*, (char* to, const char* from, size_t room),
                    (to, from, room), SizeOf(from) <= room ? CopyText(to, from, pc) : void())
JACQUARD_C_FUNCTION(__strncpy_chk, char*, (char* to, const char* from, size_t size, size_t room),
                    (to, from, size, room), size <= room ? CopyAndFill(to, from, size, pc) : void())
JACQUARD_C_FUNCTION(__strcat_chk, char*, (char* to, const char* from, size_t room),
                    (to, from, room),
                    LengthOf(to) + SizeOf(from) <= room ? Append(to, from, SIZE_MAX, pc) : void())
JACQUARD_C_FUNCTION(__strncat_chk, char*, (char* to, const char* from, size_t most, size_t room),
                    (to, from, most, room),
                    LengthOf(to) + LengthOf(from, most) < room ? Append(to, from, most, pc)
                                                               : void())

#undef JACQUARD_C_FUNCTION

}  // namespace jacquard::sim
