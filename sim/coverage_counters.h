// The counters that Clang's source-based coverage (-fprofile-instr-generate) adds to the code under
// test. ThreadSanitizer's pass leaves most of them alone, but not those that the optimiser has
// moved: they look like data of the program that threads count in without a lock, and that is put
// back after an execution.
#ifndef JACQUARD_SIM_COVERAGE_COUNTERS_H_
#define JACQUARD_SIM_COVERAGE_COUNTERS_H_

#include <cstdint>

// Set by the linker; null where nothing counts.
extern "C" {
[[gnu::weak]] extern char __start___llvm_prf_cnts;
[[gnu::weak]] extern char __stop___llvm_prf_cnts;
}

namespace jacquard::sim {

inline bool IsCoverageCounter(uintptr_t address) {
  const auto begin = reinterpret_cast<uintptr_t>(&__start___llvm_prf_cnts);
  const auto end = reinterpret_cast<uintptr_t>(&__stop___llvm_prf_cnts);
  return address - begin < end - begin;
}

}  // namespace jacquard::sim

#endif  // JACQUARD_SIM_COVERAGE_COUNTERS_H_
