// The fuzz target of RcuWait.
#include "fuzzers/rcu_wait_scenario.h"
#include "fuzzers/scenario.h"

using jacquard::RcuWaitScenario;

JACQUARD_FUZZ_TARGET(RcuWaitScenario)
