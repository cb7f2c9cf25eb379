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
# It is not instrumented itself. engine.cc alone names two hooks, and calls them only if they are there.
if nm --undefined-only "$object" | grep -E '__tsan_|__sanitizer_cov_' |
  grep -vE '^ +w __sanitizer_cov_trace_pc_guard(_init)?$'; then
  echo "FAILED: the harness is instrumented"
  exit 1
fi
