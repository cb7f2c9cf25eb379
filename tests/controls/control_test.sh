#!/bin/bash
# control_test.sh EXPLORER TEXT CORPUS: the explorer on the patched lock, what is written about the patch, and the seeds.
set -u
explorer=$(realpath "$1")
text=$(realpath "$2")
corpus=$(realpath "$3")
failed=0

fail() {
  echo "FAILED: $*"
  failed=1
}

# explore FILE...: the scenarios of the files, or random ones.
explore() {
  local executions=10000
  local result=$TEST_TMPDIR/result.json
  "$explorer" --quiet --executions=$executions --output="$TEST_TMPDIR" --json="$result" --force "$@" >"$TEST_TMPDIR/log" 2>&1 ||
    fail "$* ends with $?: $(<"$TEST_TMPDIR/log")"
  grep -q "\"executions\": $executions," "$result" || fail "$*: not $executions executions: $(<"$result")"
}
explore
explore "$corpus"

for section in What Why; do
  grep -q "^$section: ." "$text" || fail "$text does not say \"$section: \""
done
exit $failed
