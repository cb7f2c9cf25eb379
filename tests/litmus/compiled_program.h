// Litmus programs as compiled C++, which go through the instrumentation and the hooks.
#ifndef JACQUARD_TESTS_LITMUS_COMPILED_PROGRAM_H_
#define JACQUARD_TESTS_LITMUS_COMPILED_PROGRAM_H_

#include <atomic>
#include <cstdint>
#include <set>
#include <vector>

namespace jacquard::litmus {

using Value = int64_t;

struct Observed {
  enum Kind { kRegister, kAtomic, kPlain };
  Kind kind;
  int index;  // -1: never written
};

// One program of the table, with the places on which its functions work.
struct CompiledProgram {
  static constexpr int kMost = 8;

  const char* name;
  bool racy;
  std::vector<void (*)(CompiledProgram& program)> threads;
  std::vector<Value> initial;  // by location
  std::vector<Observed> observe;
  std::set<std::vector<Value>> allowed;

  std::atomic<Value>* atomics = nullptr;
  volatile Value* plain = nullptr;  // volatile: the compiler leaves out no access
  Value* registers = nullptr;
};

// Written by generate_programs.py.
std::vector<CompiledProgram> CompiledPrograms();

// A value that the compiler does not know.
inline Value Hide(Value value) {
  asm volatile("" : "+r"(value));
  return value;
}

}  // namespace jacquard::litmus

#endif  // JACQUARD_TESTS_LITMUS_COMPILED_PROGRAM_H_
