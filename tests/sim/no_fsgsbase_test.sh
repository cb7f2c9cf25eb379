#!/bin/bash
# no_fsgsbase_test.sh TEST...: where the processor's instructions for the FS base may not be used, everything works all the
# same, after one line of warning.
set -u

export JACQUARD_NO_FSGSBASE=1
failed=0
for test; do
  output=$("$test" --gtest_brief=1 2>&1) || { echo "$output"; failed=1; }
  warnings=$(grep -c 'jacquard: no FSGSBASE instructions' <<<"$output")
  if ((warnings != 1)); then
    echo "$test: expected 1 line of warning, got $warnings"
    failed=1
  fi
done
exit $failed
