// The fuzz target of address spaces.
#include "fuzzers/address_space_scenario.h"
#include "fuzzers/scenario.h"

using jacquard::AddressSpaceScenario;

JACQUARD_FUZZ_TARGET(AddressSpaceScenario)
