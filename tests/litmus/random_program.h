// Random litmus programs, for comparing the memory with the reference.
#ifndef JACQUARD_TESTS_LITMUS_RANDOM_PROGRAM_H_
#define JACQUARD_TESTS_LITMUS_RANDOM_PROGRAM_H_

#include <cstdint>

#include "tests/litmus/program.h"

namespace jacquard::litmus {

struct RandomProgramOptions {
  int min_threads = 2;
  int max_threads = 4;
  int max_operations = 8;  // of all threads together
  int max_locations = 3;
  // Of 100 operations, so many are ...
  int fences = 20;
  int updates = 15;  // read-modify-writes and compare-exchanges
  int plain = 0;     // on locations of their own
  // ... and so many of the orders seq_cst, where the operation allows it.
  int seq_cst = 50;
};

// The program that follows from `seed`. Every store has a value of its own.
Program RandomProgram(uint64_t seed, const RandomProgramOptions& options);

// A program that differs from `program` in one to three places, as follows from `seed`: a memory
// order, a location, an operation more or less. What it may do is not known.
Program ChangedProgram(const Program& program, uint64_t seed);

}  // namespace jacquard::litmus

#endif  // JACQUARD_TESTS_LITMUS_RANDOM_PROGRAM_H_
