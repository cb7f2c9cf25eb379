#!/bin/bash
# The launcher: its flags, its folders, and what it hands on.
#   launcher_test.sh LAUNCHER PROGRAM SEEDS
set -u
launcher=$(realpath "$1") program=$(realpath "$2") seeds=$(realpath "$3")
unset BUILD_WORKSPACE_DIRECTORY BUILD_WORKING_DIRECTORY
cd "$TEST_TMPDIR" || exit 1
export USER=tester
failures=0

fail() {
  echo "FAILED: $*"
  cat log
  failures=$((failures + 1))
}
launch() { "$launcher" --label=//some:target "--binary_path=$program" "--seed_corpus=$seeds" "$@" >log 2>&1; }

launch --bogus
[[ $? -eq 2 ]] || fail "an unknown flag ends with status 2"
grep -q 'unknown flag --bogus' log || fail "an unknown flag is named"
launch --timeout_secs=soon
[[ $? -eq 2 ]] || fail "--timeout_secs wants a number"
launch --timeout_secs
[[ $? -eq 2 ]] || fail "--timeout_secs wants a value"
launch --dictionary_path=nowhere
[[ $? -eq 2 ]] || fail "a missing dictionary is an error"
launch --corpus_dir nowhere
[[ $? -eq 2 ]] || fail "a missing corpus is an error"
launch --help || fail "--help succeeds"
grep -q -- '--timeout_secs' log || fail "--help lists the flags"
launch --target_help || fail "--target_help succeeds"
grep -q -- '--shape' log || fail "--target_help is the target's"

launch --regression || fail "the regression run passes"
grep -q "files found in $seeds" log || fail "the regression run reads the seeds"

# A run, in the default folder.
launch --executions 3000 -seed=1 || fail "a run ends well"
root=$TEST_TMPDIR/fuzzing
[[ -d $root/corpus && -d $root/artifacts ]] || fail "folders are made"
[[ -n $(ls -A "$root/corpus") ]] || fail "the corpus is kept"
grep -q "INFO: seed corpus: files: .*" log || fail "the seeds are used"
touch "$root/corpus/mine"
launch --executions=10 --noclean || fail "a second run ends well"
launch --executions=10 -seed=2 || fail "a third one, too"
[[ -e $root/corpus/mine ]] || fail "an earlier corpus stays"
launch --clean --executions=10 || fail "a clean run ends well"
[[ ! -e $root/corpus/mine ]] || fail "--clean removes it"
launch --fuzzing_output_root=elsewhere --executions=10 || fail "another folder"
[[ -d $TEST_TMPDIR/elsewhere/corpus ]] || fail "it is made"

# By user and target, outside of tests.
(unset TEST_TMPDIR && TMPDIR=$PWD/tmp && export TMPDIR && mkdir tmp && launch --executions=10) || fail "a run in TMPDIR"
[[ -d tmp/jacquard-$(id -un)/some/target/corpus ]] || fail "a folder by user and target"

# Flags of the target are handed on, each in both forms: all those that its help lists and that take a value.
declare -A example=([shape]=2x2 [executions]=1 [max-steps]=5000 [time-limit]=9 [memory]=sc [max-history]=8 [features]=states,reads [mutations]=records [addresses]=writes)
launch --target_help
read -ra flags <<<"$(grep -oE -- '--[a-z-]+ (TEXT|INT|UINT|FLOAT|MODE|LIST)' log | grep -vE -- '--(replay|minimize|to-text|from-text|seed-corpus|output|repeat|html) ' |
  sed 's/--//; s/ .*//' | tr '\n' ' ')"
((${#flags[@]} >= 6)) || fail "the help lists the flags: ${flags[*]}"
for flag in "${flags[@]}"; do
  launch "--$flag" "${example[$flag]}" -runs=1 || fail "--$flag VALUE is handed on"
  launch "--$flag=${example[$flag]}" -runs=1 || fail "--$flag=VALUE is handed on"
done
launch --replay "$(ls "$seeds"/* | head -n 1)" || fail "--replay is handed on"
grep -q 'passes' log || fail "replay passes"
launch --html page.html --replay "$(ls "$seeds"/* | head -n 1)" || fail "--html is handed on"
grep -q 'passes' log || fail "replay with --html passes"
launch --replay=missing
[[ $? -eq 2 ]] || fail "the target's status comes through"

((failures == 0)) && echo "all passed"
exit "$failures"
