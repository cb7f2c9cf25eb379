#!/bin/bash
# Jacquard's own flags reach the processes that the engine starts, and the command that replays a failure; what these
# processes have done reaches the one that has started them.
#   jobs_test.sh PROGRAM
set -u
program=$(realpath "$1")
cd "$TEST_TMPDIR" || exit 1
export TMPDIR=$TEST_TMPDIR  # in sandboxes, processes of equal number would share libFuzzer's folders
failures=0

# FILE WHAT: every execution of this target has more than two steps, so that limit must show.
expect_limit() {
  grep -qF 'did not end within 2 steps' "$1" && return
  echo "FAILED: $2"
  cat "$1"
  failures=$((failures + 1))
}

"$program" -jobs=1 -workers=1 -seed=1 -runs=1000 --max-steps 2 --shape 2x2 >log 2>&1
expect_limit fuzz-0.log '-jobs passes on --max-steps'

mkdir corpus corpus2
"$program" -fork=1 -seed=1 -runs=1000 --max-steps=2 --shape=2x2 corpus >log 2>&1
expect_limit log '-fork passes on --max-steps'

JACQUARD_PROGRESS_FILE=$PWD/progress "$program" -fork=2 -seed=1 -max_total_time=4 --shape=2x2 corpus2 >log 2>&1
tail -n 1 progress | python3 -c '
import json, sys
totals = json.load(sys.stdin)
for what in "executions", "steps", "states", "schedules", "features":
  assert totals[what] > 10, (what, totals)
assert totals["steps"] > 2 * totals["executions"], totals
' || { echo 'FAILED: the totals of -fork'; tail log; failures=$((failures + 1)); }

# What is not the default is said again in the command that replays the crash file.
"$program" -seed=1 -runs=1000 --max-steps 2 --memory=sc --shape 2x2 >log 2>&1
grep -q -- '^Replay: .* --shape 2x2 --memory sc --max-steps 2 --replay ' log || { echo 'FAILED: the command says it all'; tail -n 2 log; failures=$((failures + 1)); }
command=$(sed -n 's/^Replay: *//p' log)
$command >log 2>&1
(($? == 1)) || { echo "FAILED: it replays: $command"; cat log; failures=$((failures + 1)); }

# A history that is too short says so.
"$program" -seed=1 -runs=20000 --max-history 2 >log 2>&1
grep -q -- '--max-history keeps more' log || { echo 'FAILED: a cut history says so'; tail -n 3 log; failures=$((failures + 1)); }

((failures == 0))
