// The fuzz target of the assertions of VMA locks.
#include "fuzzers/scenario.h"
#include "fuzzers/vma_assertions_scenario.h"

using jacquard::VmaAssertionsScenario;

JACQUARD_FUZZ_TARGET(VmaAssertionsScenario)
