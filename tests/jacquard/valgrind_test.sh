#!/bin/bash
# valgrind_test.sh TEST REPLAY_PROGRAM: a unit test, and the replay of a token from outside, run in Valgrind's tools without
# any preparation. (What Valgrind's own oracles say is of no use; the smallest tool is enough.)
set -u
test=$(realpath "$1")
program=$(realpath "$2")
unset TEST_TARGET JACQUARD_OPTIONS JACQUARD_REPLAY
failed=0

in_valgrind() { valgrind --tool=none -q "$@"; }

output=$(in_valgrind "$test" --gtest_brief=1 --gtest_filter='*.Tried:*.WithinOne*' 2>&1) || { echo "FAILED: $output"; failed=1; }
grep -q '\[  PASSED  \] [1-9]' <<<"$output" || { echo "FAILED: nothing has passed: $output"; failed=1; }

report() { sed -n '/^[a-z]*: /,/^Signature: /p' <<<"$1" | sed -n '/^Where/,$p'; }

outside=$("$program" --gtest_filter='Program.*' 2>&1) && { echo "FAILED: the program has no bug"; failed=1; }
token=$(sed -n 's/.*JACQUARD_REPLAY=\(J1[A-Za-z0-9_-]*\).*/\1/p' <<<"$outside" | head -1)
[[ -n $token ]] || { echo "FAILED: no token: $outside"; failed=1; }
inside=$(JACQUARD_REPLAY=$token in_valgrind "$program" --gtest_filter='Program.*' 2>&1) && { echo "FAILED: $inside"; failed=1; }
one=$(report "$outside")
other=$(report "$inside")
[[ -n $one && $one == "$other" ]] ||
  { echo "FAILED: the replay says something else:"; diff <(echo "$one") <(echo "$other"); failed=1; }
exit $failed
