// The fuzz target of the reader-writer semaphore.
#include "fuzzers/rw_semaphore_scenario.h"
#include "fuzzers/scenario.h"

using jacquard::RwSemaphoreScenario;

JACQUARD_FUZZ_TARGET(RwSemaphoreScenario)
