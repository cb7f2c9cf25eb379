#!/bin/bash
# Locks in different orders are the verdict of an input in which no deadlock happens.
#   lock_order_test.sh PROGRAM
set -u
program=$(realpath "$1")
cd "$TEST_TMPDIR" || exit 1
failures=0

# NAME STATUS: replays NAME.txt, made of the lines of the standard input.
replay() {
  local name=$1 expected=$2 status
  { echo 'jacquard scenario 2 transfer'; cat; } >"$name.txt"
  "$program" --replay "$name.txt" >log 2>&1
  status=$?
  ((status == expected)) || { echo "FAILED: $name: status $status"; cat log; failures=$((failures + 1)); }
}
says() {
  grep -qE -- "$1" log || { echo "FAILED: the report does not say \"$1\""; cat log; failures=$((failures + 1)); }
}

replay one_thread 0 <<<'thread 0: give; take'
replay one_order 0 <<<$'thread 0: give\nthread 1: take_in_order; give'
replay both 1 <<<$'thread 0: give; give\nthread 1: take_in_order; take'
says '^lock order: threads could wait for each other: thread [01] took .* while it held .* since step [0-9]*; '
says '^0x[0-9a-f]* taken by thread 0, after step [0-9]*:'
says '^0x[0-9a-f]* taken while it was held by thread 1, after step [0-9]*:'
says '^ *TransferScenario::Move .*tests/fuzzers/lock_order_fuzz_test.cc:3[0-9]'
says '^Signature: lock order\|threads could wait for each other\|give\|take$'
cp log first
"$program" --replay both.txt >log 2>&1
diff first log || { echo "FAILED: a replay prints something else"; failures=$((failures + 1)); }
exit $((failures != 0))
