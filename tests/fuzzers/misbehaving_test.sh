#!/bin/bash
# Every way in which a scenario can fail, in the form of this configuration: it is reported, the input is saved, and its
# path is the last line.
#   misbehaving_test.sh PROGRAM simulated|native
set -u
program=$(realpath "$1") form=$2
cd "$TEST_TMPDIR" || exit 1
failures=0

fail() {
  echo "FAILED: $*"
  failures=$((failures + 1))
}

# OPERATION: makes the input in which one thread does OPERATION.
make_input() {
  printf 'jacquard scenario 1 misbehaving\nthread 0: behave; %s\nthread 1: behave\n' "$1" >"$1.txt"
  "$program" --from-text "$1.txt" -o "$1.bytes" || fail "$1: from text"
}

# OPERATION WORDS: what happens to its input as one of a corpus: the engine saves it.
misbehave_in_corpus() {
  local operation=$1 words=$2 status last
  mkdir -p "$operation-corpus" "$operation-artifacts"
  cp "$operation.bytes" "$operation-corpus/"
  timeout 60 "$program" "-artifact_prefix=$operation-artifacts/" --time-limit 1 -runs=0 "$operation-corpus" >log 2>&1
  status=$?
  [[ $status -ne 0 && $status -ne 124 ]] || { fail "$operation: the engine ends with $status"; cat log; }
  grep -qE -- "$words" log || { fail "$operation: the engine's run does not say \"$words\""; cat log; }
  last=$(tail -n 1 log)
  [[ -f $last ]] && cmp -s "$last" "$operation.bytes" || { fail "$operation: the last line is \"$last\""; cat log; }
}

# OPERATION STATUS_OF_REPLAY WORDS: the same, and what a replay of it says.
misbehave() {
  local operation=$1 expected=$2 words=$3 status
  make_input "$operation"
  timeout 60 "$program" --replay "$operation.txt" --time-limit 1 >log 2>&1
  status=$?
  [[ $status -eq $expected ]] || { fail "$operation: replay ends with $status, not $expected"; cat log; }
  grep -qE -- "$words" log || { fail "$operation: replay does not say \"$words\""; cat log; }
  misbehave_in_corpus "$operation" "$words"
}

if [[ $form == simulated ]]; then
  misbehave fail_check 1 'the word is negative'
  # Global variables have their names, and what calls an operation is none of the user's functions.
  "$program" --replay fail_check.txt >log 2>&1
  grep -q 'count_of_all 0→1' log || { fail "no name of a global variable"; cat log; }
  grep -q 'MisbehavingScenario::FailCheck' log || { fail "no function of the operation"; cat log; }
  grep -q 'fuzzers/scenario' log && { fail "a function of the harness"; cat log; }
  misbehave wait_for_ever 1 '^deadlock: '
  misbehave abort 1 'abort'
  misbehave abort_in_the_destructor 1 'abort'
  misbehave fail_at_the_end 1 'nothing fails at the end'
  misbehave fail_after_operation 1 'nothing fails after an operation'
  misbehave compute_for_ever 79 'no step in'
else
  misbehave fail_check 1 'the word is negative'
  misbehave wait_for_ever 1 'deadlock: not all threads have ended'
  misbehave fail_at_the_end 1 'nothing fails at the end'
  misbehave fail_after_operation 1 'nothing fails after an operation'
  misbehave compute_for_ever 1 'deadlock: not all threads have ended'
  for operation in abort abort_in_the_destructor; do  # what ends the process says nothing more
    make_input "$operation"
    misbehave_in_corpus "$operation" 'deadly signal'
  done
fi

((failures == 0)) && echo "all passed"
exit "$failures"
