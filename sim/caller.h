// Who called an interposed function: the program, or a shared library for its own purposes; and if
// it was the executable's code, the program or the runtime.
#ifndef JACQUARD_SIM_CALLER_H_
#define JACQUARD_SIM_CALLER_H_

// Set by the linker.
extern "C" const char __executable_start;
extern "C" const char etext;
// The runtime's code in one piece, when it is prelinked (tools/prelink.bzl).
extern "C" [[gnu::weak, gnu::visibility("hidden")]] const char jacquard_text_begin;
extern "C" [[gnu::weak, gnu::visibility("hidden")]] const char jacquard_text_end;

// Within an interposer: the place after the call, in the caller.
#define JACQUARD_RETURN_ADDRESS __builtin_return_address(0)

namespace jacquard::sim {

// Whether the return address `caller` lies in the executable's code.
inline bool FromExecutable(const void* caller) {
  return caller >= &__executable_start && caller < &etext;
}

// Whether it lies in the code of a shared library that is part of the program.
bool FromLibraryOfProgram(const void* caller);

// Whether it lies in the program's, or in the runtime's.
inline bool FromProgram(const void* caller) {
  return FromExecutable(caller) || FromLibraryOfProgram(caller);
}

// From now on the shared libraries that are loaded, and have hooks, are part of the program. To be
// called where their data begins each execution anew. Not thread-safe.
void MakeLibrariesPartOfProgram();
// And those that executions open, which `contains` knows (opened_libraries.h).
void MakeOpenedLibrariesPartOfProgram(bool (*contains)(const void* caller));

// Whether it lies in the runtime's.
inline bool FromRuntime(const void* caller) {
  return caller >= &jacquard_text_begin && caller < &jacquard_text_end;
}

// Whether it lies in the program's, and not in the runtime's.
inline bool FromProgramItself(const void* caller) {
  return FromProgram(caller) && !FromRuntime(caller);
}

}  // namespace jacquard::sim

#endif  // JACQUARD_SIM_CALLER_H_
