// The fuzz target of the README: the reader/writer lock of rw_lock.h.
#include "examples/rw_lock.h"
#include "examples/rw_lock_scenario.h"
#include "fuzzers/scenario.h"

using RwLockScenario = examples::RwLockScenario<examples::RwLock>;

JACQUARD_FUZZ_TARGET(RwLockScenario)
