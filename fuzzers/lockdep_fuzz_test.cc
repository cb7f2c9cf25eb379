// The fuzz target of the lock validator.
#include "fuzzers/lockdep_scenario.h"
#include "fuzzers/scenario.h"

using jacquard::LockdepScenario;

JACQUARD_FUZZ_TARGET(LockdepScenario)
