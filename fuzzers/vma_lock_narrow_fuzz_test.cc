// The fuzz target of the per-VMA lock at widths at which its sequence comes round: it fails.
#include "fuzzers/scenario.h"
#include "fuzzers/vma_lock_scenario.h"

using jacquard::VmaLockNarrowScenario;

JACQUARD_FUZZ_TARGET(VmaLockNarrowScenario)
