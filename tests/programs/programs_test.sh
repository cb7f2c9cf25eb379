#!/bin/bash
# Nothing is said of a program that is right, whatever the schedule; its broken twin is found.
set -u
programs=$(realpath "$1")
large_storage=$(realpath "$2")
failed=0
unset JACQUARD_REPLAY TEST_TARGET

# expect STATUS OPTIONS PROGRAM ARGUMENT...
expect() {
  local status=$1 options=$2 output
  shift 2
  output=$(JACQUARD_OPTIONS="quiet=1 status=report $options" "$@" 2>&1)
  local got=$?
  [[ $got -eq $status ]] && return
  echo "FAILED: $* ($options) ended with $got, not $status: ${output:0:3000}"
  failed=1
}

names=$(JACQUARD_OPTIONS=executions=1 "$programs" 2>/dev/null)
[[ $(wc -l <<<"$names") -ge 10 ]] || { echo "FAILED: only these programs: $names"; exit 1; }
for name in $names; do
  executions=1000
  [[ $name != many_threads ]] || executions=20
  for strategy in random pct; do
    expect 0 "executions=$executions strategy=$strategy" "$programs" "$name"
    expect 1 "executions=20000 strategy=$strategy" "$programs" "$name" broken
  done
done
printed=$(JACQUARD_OPTIONS='executions=10 strategy=random' "$programs" streams 2>/dev/null | grep -c '^buffered$')
[[ $printed -ge 10 ]] || { echo "FAILED: streams prints only $printed times what it has buffered"; failed=1; }
expect 0 executions=20 "$large_storage"
expect 1 executions=20 "$large_storage" broken
exit $failed
