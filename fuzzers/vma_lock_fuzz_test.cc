// The fuzz target of the per-VMA lock, at the kernel's widths.
#include "fuzzers/scenario.h"
#include "fuzzers/vma_lock_scenario.h"

using jacquard::VmaLockScenario;

JACQUARD_FUZZ_TARGET(VmaLockScenario)
