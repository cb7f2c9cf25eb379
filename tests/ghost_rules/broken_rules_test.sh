#!/bin/bash
# broken_rules_test.sh BROKEN ORIGINAL INPUT...: fuzz targets on a lock that breaks rules, and on the lock as it is. Each input
# fails on the former with the verdict that its comment tells, and passes on the latter.
set -u
source "$(dirname "$0")/../fuzzers/expectations.sh"
broken=$(realpath "$1") original=$(realpath "$2")
shift 2
readarray -t inputs < <(realpath "$@")
cd "$TEST_TMPDIR" || exit 1

for input in "${inputs[@]}"; do
  verdict=$(sed -n 's/^# verdict: //p' "$input")
  expect "$input tells its verdict" test -n "$verdict"
  expect "$input fails on the broken lock" status_is 1 "$broken" --replay "$input"
  expect "$input is judged as it says: $(grep -a '^Signature: ' out)" grep -qxF "Signature: $verdict" out
  expect "$input passes on the lock as it is" status_is 0 "$original" --replay "$input"
done
exit "$failures"
