#!/bin/bash
# A fuzz target with an engine that is not libFuzzer learns what inputs reach: edges of the code, and Jacquard's own features.
#   external_engine_test.sh PROGRAM PROGRAM_WITHOUT_EDGES CORPUS
set -u
program=$(realpath "$1") features_only=$(realpath "$2") corpus=$(realpath "$3")
cd "$TEST_TMPDIR" || exit 1
failures=0
check() {
  local what=$1
  shift
  (("$@")) && return
  echo "FAILED: $what: $*"
  failures=$((failures + 1))
}

# Jacquard's own guards, of which there are always so many.
readonly OWN=4096

# run PROGRAM: sets guards; passed and first, lists with a number for each seed, of which the first is executed twice.
run() {
  local seeds
  mapfile -t seeds < <(find -L "$corpus/" -type f | sort)
  seeds+=("${seeds[0]}")
  "$1" "${seeds[@]}" >out 2>&1 || { echo "FAILED: $1 ends with $?"; failures=$((failures + 1)); }
  cat out
  guards=$(sed -n 's/ guards$//p' out)
  mapfile -t passed < <(sed -n 's/.*: \([0-9]*\) passed, .*/\1/p' out)
  mapfile -t first < <(sed -n 's/.* passed, \([0-9]*\) of them first$/\1/p' out)
  check "a line for each input" "${#first[@]} == ${#seeds[@]} && ${#seeds[@]} > 2"
}

run "$features_only"
check "there are only Jacquard's guards" "$guards == OWN"
check "an input passes some" "${passed[0]} > 3 && ${passed[0]} < OWN"
check "the next one passes others" "${first[1]} > 0"
check "the same input passes the same, and as many" "${first[-1]} == 0 && ${passed[-1]} == ${passed[0]}"
few=${passed[0]}

run "$program"
check "there are guards in the code as well" "$guards > OWN"
check "which the input passes" "${passed[0]} > few"
check "the same input passes the same" "${first[-1]} == 0 && ${passed[-1]} == ${passed[0]}"

((failures == 0)) && echo "all passed"
exit "$failures"
