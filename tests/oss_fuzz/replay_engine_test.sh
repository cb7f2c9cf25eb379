#!/bin/bash
# A fuzz target whose main() only replays files.
#   replay_engine_test.sh PROGRAM CORPUS ORDINARY_PROGRAM FAILING_PROGRAM FAILING_TEXT
set -u
program=$(realpath "$1") corpus=$(realpath "$2") ordinary=$(realpath "$3") failing=$(realpath "$4") text=$(realpath "$5")
cd "$TEST_TMPDIR" || exit 1
failures=0

expect() {
  local what=$1
  shift
  "$@" || {
    echo "FAILED: $what"
    cat out
    failures=$((failures + 1))
  }
}
status_is() {
  local wanted=$1
  shift
  "$@" >out 2>&1
  [[ $? -eq $wanted ]]
}

inputs=$(find -L "$corpus/" -type f | wc -l)
expect "a folder of seeds passes" status_is 0 "$program" "$corpus"
expect "all were executed" grep -q "^replay: $inputs inputs executed" out
expect "flags of engines are passed over" status_is 0 "$program" -runs=0 "$corpus" -timeout=3
expect "no input is an error" status_is 2 "$program"
expect "and says so" grep -q 'no input' out
expect "a missing file is an error" status_is 2 "$program" missing
expect "that names it" grep -q 'missing: ' out
echo anything >bytes
expect "an ordinary target" status_is 0 "$ordinary" bytes
expect "its input was executed" grep -q '^replay: 1 inputs executed' out

expect "tools work without an engine" status_is 0 "$failing" --from-text "$text" -o crash
expect "a failure aborts" status_is 134 "$failing" crash
expect "with a report" grep -q '^DEDUP_TOKEN: ' out
expect "under its input's name" grep -q '^replay: crash$' out

((failures == 0)) && echo "all passed"
exit "$failures"
