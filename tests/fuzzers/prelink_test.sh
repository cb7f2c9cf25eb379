#!/bin/bash
# The harness shares no symbol with the code under test but its interface: no inline function of it can take the place of an
# instrumented one.
#   prelink_test.sh OBJECT
set -u
object=$1
defined=$(nm --defined-only --extern-only "$object" | awk '{print $3}' | sort)
expected='JacquardEngineAcquireCrashState
JacquardEngineExit
JacquardEngineOpen
JacquardEnginePrint
JacquardEnginePrintChecked
JacquardEnginePrintStackTrace
JacquardEngineSetDeathCallback
LLVMFuzzerCustomCrossOver
LLVMFuzzerCustomMutator
LLVMFuzzerInitialize
LLVMFuzzerTestOneInput
_ZN8jacquard9SimulatedEv'
diff <(echo "$expected") <(echo "$defined") || {
  echo "FAILED: the harness defines other symbols than its interface"
  exit 1
}
# It is not instrumented itself: nothing calls the hooks without asking whether they are there (engine.cc does).
if nm --undefined-only "$object" | grep -E ' U (__tsan_|__sanitizer_cov_)'; then
  echo "FAILED: the harness is instrumented"
  exit 1
fi
