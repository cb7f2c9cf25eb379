#!/bin/bash
# A stress program with random delays at atomic accesses.
#   delayed_test.sh DELAYED ORDINARY DELAYED_BROKEN
set -u
delayed=$(realpath "$1") ordinary=$(realpath "$2") broken=$(realpath "$3")
. tests/fuzzers/expectations.sh
cd "$TEST_TMPDIR" || exit 1

# number KEY: of the summary.
number() { python3 -c 'import json, sys; print(json.load(open("summary.json"))[sys.argv[1]])' "$1"; }

expect "the lock passes" status_is 0 "$delayed" --seconds 1.5 --threads 4 --json summary.json
operations=$(number operations) accesses=$(number delayed_accesses)
expect "does something ($operations)" test "$operations" -gt 500
expect "with several accesses in each operation ($accesses)" test "$accesses" -gt $((2 * operations))
expect "without delays" status_is 0 "$delayed" --seconds 0.5 --threads 4 --no-delays --json summary.json
expect "there are none" test "$(number delayed_accesses)" -eq 0
expect "nor in an ordinary program" status_is 0 "$ordinary" --seconds 0.5 --threads 4 --json summary.json
expect "at accesses" test "$(number delayed_accesses)" -eq 0
printf 'jacquard scenario 2 vma_lock_torture\nthread 0: read vma=0\n' >input.txt
expect "an input" status_is 0 "$delayed" --replay input.txt --runs 20
# Without VMAs that go: the lock itself may notice a reader whose VMA was detached, and ends the process.
expect "a writer that does not wait" status_is 1 "$broken" --seconds 20 --threads 8 --weights replace=0
expect "is found" grep -qE '^violated: ' out

((failures == 0)) && echo "all passed"
exit "$failures"
