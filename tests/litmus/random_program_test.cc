// The simulated memory and the reference agree on random programs: on every value read and on
// modification order, not only on what a table would observe.
#include "tests/litmus/random_program.h"

#include <gtest/gtest.h>

#include "tests/litmus/explore.h"
#include "tests/litmus/program.h"
#include "tests/litmus/reference.h"

namespace jacquard::litmus {
namespace {

void CompareOn(uint64_t first_seed, int programs, const RandomProgramOptions& options,
               const ExploreOptions& explore = {}) {
  for (uint64_t seed = first_seed; seed < first_seed + static_cast<uint64_t>(programs); ++seed) {
    const Program program = RandomProgram(seed, options);
    const ReferenceResult expected = SolveByAxioms(program);
    const ExploreResult result = ExploreOnMemory(program, explore);
    ASSERT_TRUE(result.complete) << seed;
    ASSERT_EQ(result.racy, expected.racy) << seed << ": " << ProgramText(program);
    ASSERT_EQ(result.graphs, expected.graphs) << seed << ": " << ProgramText(program);
    ASSERT_EQ(result.outcomes, expected.outcomes) << seed << ": " << ProgramText(program);
  }
}

ExploreOptions Pruned() {
  ExploreOptions options;
  options.max_unpruned = 0;
  return options;
}

TEST(RandomProgramTest, EverySequenceOfPicks) {
  ExploreOptions options;
  options.max_unpruned = 1'000'000;
  CompareOn(1, 1000, {.max_operations = 5}, options);
}

TEST(RandomProgramTest, Mixed) { CompareOn(10'000, 1000, {.max_operations = 7}, Pruned()); }

TEST(RandomProgramTest, ManyFences) {
  CompareOn(20'000, 800, {.max_operations = 8, .fences = 40, .updates = 5}, Pruned());
}

TEST(RandomProgramTest, ManyUpdates) {
  CompareOn(30'000, 600, {.max_operations = 6, .fences = 10, .updates = 60}, Pruned());
}

TEST(RandomProgramTest, ManySeqCst) {
  CompareOn(40'000, 800, {.max_operations = 8, .updates = 5, .seq_cst = 85}, Pruned());
}

TEST(RandomProgramTest, FewLocations) {
  CompareOn(50'000, 500, {.max_operations = 7, .max_locations = 1}, Pruned());
}

TEST(RandomProgramTest, PlainAccesses) {
  CompareOn(60'000, 1500, {.max_operations = 8, .plain = 30}, Pruned());
}

TEST(RandomProgramTest, WideMemory) {
  ExploreOptions options = Pruned();
  options.wide = true;
  CompareOn(70'000, 200, {.max_operations = 6}, options);
}

}  // namespace
}  // namespace jacquard::litmus
