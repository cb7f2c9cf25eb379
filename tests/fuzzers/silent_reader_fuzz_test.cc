// A fuzz target with a mistake in it: tests/fuzzers/broken_rw_lock.h.
#include "examples/rw_lock_scenario.h"
#include "fuzzers/scenario.h"
#include "tests/fuzzers/broken_rw_lock.h"

using RwLockScenario = examples::RwLockScenario<jacquard::tests::SilentReaderRwLock>;

JACQUARD_FUZZ_TARGET(RwLockScenario)
