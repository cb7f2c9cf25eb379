#!/bin/bash
# Each configuration finds the bug that it is for, and says where; the others run unnoticed.
#   planted_test.sh PROGRAM plain|asan|tsan|ubsan
set -u
program=$(realpath "$1") configuration=$2
. tests/fuzzers/expectations.sh
cd "$TEST_TMPDIR" || exit 1

for bug in race use-after-free overflow; do
  case $configuration-$bug in
    tsan-race) report='WARNING: ThreadSanitizer: data race' function=Race ;;
    asan-use-after-free) report='ERROR: AddressSanitizer: heap-use-after-free' function=UseAfterFree ;;
    # ThreadSanitizer looks after the heap as well.
    tsan-use-after-free) report='WARNING: ThreadSanitizer: heap-use-after-free' function=UseAfterFree ;;
    ubsan-overflow) report='runtime error: signed integer overflow' function=Overflow ;;
    *)
      expect "$bug goes unnoticed by $configuration" status_is 0 "$program" "$bug"
      expect "$bug: to its end" grep -qx 'nobody has noticed' out
      continue
      ;;
  esac
  "$program" "$bug" >out 2>&1
  expect "$bug: not status 0" test $? -ne 0
  expect "$bug: the report of $configuration" grep -q "$report" out
  expect "$bug: with the function" grep -q "$function" out
  expect "$bug: and the place" grep -qE 'planted\.cc:[0-9]+' out
  [[ $failures == 0 ]] || cat out
done
((failures == 0)) && echo "all passed"
exit "$failures"
