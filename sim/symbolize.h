// From program counters to source: function, file and line, with the functions that the compiler
// inlined there.
//
// Reads the debug information of the running process (executable and shared libraries) with
// elfutils; no sanitizer runtime is involved. Line tables (-gline-tables-only) are enough.
#ifndef JACQUARD_SIM_SYMBOLIZE_H_
#define JACQUARD_SIM_SYMBOLIZE_H_

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace jacquard {

// One function at a program counter.
struct SourceFrame {
  // Demangled and shortened (ShortFunctionName); hexadecimal address if nothing is known.
  std::string function;
  std::string file;      // as compiled, relative to the compiler's working directory; "" if unknown
  int line = 0;          // 0 if unknown
  bool inlined = false;  // inlined into the next frame
};

// The functions at `return_address`, innermost first: those inlined at the call before it, then the
// one whose code it is. Never empty, never fails: what is not known is said in hexadecimal.
//
// Call outside of executions only: allocates, and reads files. Safe from several threads. Costs
// microseconds (milliseconds for the first address of a module); each address is looked up once.
std::vector<SourceFrame> Symbolize(uintptr_t return_address);

// The global variable that lies at `address`: "table", "table+8" inside of one, demangled as
// functions are; empty if none is known. Local and dynamically allocated ones have no names. Costs
// as Symbolize does.
std::string VariableName(const void* address);

// The same of a thread-local one, by its place among all of the executable or the library that has
// it: so many bytes behind the first of them. `module` is any address in that file's memory.
std::string ThreadLocalName(const void* module, size_t place);

// Who turns addresses into frames, where something else than Symbolize is wanted.
using FrameLookup = std::function<std::vector<SourceFrame>(uintptr_t return_address)>;

// A demangled name without what does not help to recognise it: parameter lists, return types,
// inline namespaces of the standard library, arguments of long template lists.
std::string ShortFunctionName(std::string_view demangled);

// For a mangled name that this C++ library cannot demangle, as it is older than the compiler: what it
// says before its first template arguments, "Tree::Insert<...>". Itself if that is nothing.
std::string NamesOfMangled(std::string_view mangled);

// Whether the frame belongs to the language's or the system's library, or to the runtime, rather
// than to the user.
bool IsLibraryFrame(const SourceFrame& frame);

// Whether such a frame stands in an installed header of neither the language, the C library nor
// GoogleTest, as Boost's are: compiled with the hooks like the user's own code, and as likely to be
// where the bug is.
bool IsInstalledHeaderFrame(const SourceFrame& frame);

// "lock/refcount.h:84"; "" if the file is unknown.
std::string SourceLocation(const SourceFrame& frame);

}  // namespace jacquard

#endif  // JACQUARD_SIM_SYMBOLIZE_H_
