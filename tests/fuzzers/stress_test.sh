#!/bin/bash
# A stress program: passes on a correct lock; counts failures of a broken scenario and names the seed.
#   stress_test.sh CORRECT BROKEN
set -u
correct=$(realpath "$1") broken=$(realpath "$2")
cd "$TEST_TMPDIR" || exit 1
failures=0

fail() {
  echo "FAILED: $*"
  cat log
  failures=$((failures + 1))
}

"$correct" --runs 300 >log 2>&1 || fail "the correct lock passes"
grep -q '300 runs passed' log || fail "it counts its runs"

# One operation each, so that some runs fail and some do not.
"$broken" --runs 20 --threads 1 --operations 1 --time-limit 1 --repeat 3 --seed 5 >log 2>&1
[[ $? -eq 1 ]] || fail "a failure ends with status 1"
grep -qE ': [1-9][0-9]* of 20 runs failed; seeds [0-9 ]+' log || fail "n of m"
grep -qE 'seed [0-9]+ tried again: 3 of 3 runs failed' log || fail "the seed is tried again"
grep -qE '^Seed of the delays: [0-9]+$' log || fail "the report has the seed"
seed=$(sed -nE 's/.*seeds ([0-9]+).*/\1/p' log)
"$broken" --runs 1 --threads 1 --operations 1 --time-limit 1 --repeat 0 --seed "$seed" >log 2>&1
[[ $? -eq 1 ]] || fail "the seed alone fails, too"
grep -q '1 of 1 run failed' log || fail "once"

# An input, many times.
printf 'jacquard scenario 2 misbehaving\nthread 0: behave; fail_check\n' >fails.txt
printf 'jacquard scenario 2 misbehaving\nthread 0: behave\n' >passes.txt
"$broken" --replay fails.txt --runs 7 >log 2>&1
[[ $? -eq 1 ]] || fail "a replay that fails ends with status 1"
grep -q '^fails.txt: 7 of 7 runs failed$' log || fail "and says how often"
[[ $(grep -c '^violated: ' log) -eq 1 ]] || fail "and why, once"
"$broken" --replay passes.txt --runs 7 >log 2>&1 || fail "a replay that passes"
grep -q '^passes.txt: 0 of 7 runs failed$' log || fail "says so"
"$broken" --replay nowhere >log 2>&1
[[ $? -eq 2 ]] || fail "a missing input is an error"

"$correct" --bogus >log 2>&1
[[ $? -eq 2 ]] || fail "an unknown flag ends with status 2"
"$correct" --threads 99 >log 2>&1
[[ $? -eq 2 ]] || fail "so does a value that makes no sense"
for flag in --runs --time-limit --seconds; do
  "$correct" $flag 0 >log 2>&1
  [[ $? -eq 2 ]] || fail "so does $flag 0"
  grep -q "^$flag: \"0\" is not a number above 0\$" log || fail "which is said in a few words"
done

((failures == 0)) && echo "all passed"
exit "$failures"
