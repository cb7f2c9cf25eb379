// The fuzz target of RCU.
#include "fuzzers/rcu_scenario.h"
#include "fuzzers/scenario.h"

using jacquard::RcuScenario;

JACQUARD_FUZZ_TARGET(RcuScenario)
