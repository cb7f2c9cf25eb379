#!/bin/bash
# A regression that fails is named as it is called in the corpus, with a command that works when the test is over.
#   regression_test.sh LAUNCHER PROGRAM SEEDS CORPUS_FILE
# PROGRAM fails with CORPUS_FILE, which is among the SEEDS.
set -u
. tests/fuzzers/expectations.sh
launcher=$(realpath "$1") program=$(realpath "$2") seeds=$(realpath -s "$3") file=$4
unset BUILD_WORKSPACE_DIRECTORY BUILD_WORKING_DIRECTORY
workspace=$PWD
cd "$TEST_TMPDIR" || exit 1
export TMPDIR=$TEST_TMPDIR  # in sandboxes, processes of equal number would share libFuzzer's folders
launch() { "$launcher" --label=//some:target "--binary_path=$program" "--seed_corpus=$seeds" "$@"; }
# FILE [FILE IN A SHELL]: the last two lines of `out`.
names() { diff <(printf 'Replay:    bazel run //some:target_run -- --replay %s\n%s\n' "${2:-$1}" "$1") <(tail -n 2 out); }

expect "the regression fails" status_is 77 launch --regression
expect "its file is named" names "$file"
expect "which replays from the workspace" status_is 1 env "BUILD_WORKING_DIRECTORY=$workspace" "$launcher" --label=//some:target \
  "--binary_path=$program" "--seed_corpus=$seeds" --replay "$file"

mkdir given
cp "$workspace/$file" given/mine.txt
expect "a regression of a folder fails" status_is 77 launch --corpus_dir given --regression
expect "its file is named, too" names "$PWD/given/mine.txt"
mv given "with space"
expect "a regression of a folder with a space fails" status_is 77 launch --corpus_dir "with space" --regression
expect "its file is quoted in the command" names "$PWD/with space/mine.txt" "'$PWD/with space/mine.txt'"
mv "with space" given

# In the bytes of this one what makes it fail, the schedule, comes behind the exceptions of memory.
rm given/mine.txt
{
  printf 'jacquard scenario 2 rw_lock\nthread 0: read object=0\nthread 1: try_write object=0\nschedule: +1:0\n'
  echo "memory:$(printf ' +65535:0%.0s' {1..100})"
} >given/long.txt
expect "a long one fails as well" status_is 77 launch --corpus_dir given --regression
expect "it is read as a whole" names "$PWD/given/long.txt"
expect "as bytes" status_is 0 "$program" --from-text given/long.txt -o long
expect "it is read as a whole, too, where it is named" status_is 77 "$program" long
rm given/long.txt

# A limit that everything exceeds, also the engine's first input, which is empty and in no corpus.
printf 'jacquard scenario 2 rw_lock\nthread 0: read object=0\n' >given/other.txt
expect "what is no file fails" status_is 77 launch --max-steps 1 --corpus_dir given --regression
expect "it has a command as well" grep -Eq '^Replay:    bazel run //some:target_run -- --max-steps 1 --(regression|replay .*/given/other.txt)$' out

expect "a run" status_is 77 launch -seed=1
expect "names its crash file" grep -q "^$PWD/fuzzing/artifacts/crash-" <(tail -n 1 out)
expect "several processes" status_is 77 launch --clean --jobs 2 -seed=1
expect "do so in the line before libFuzzer's last" grep -q "^$PWD/fuzzing/artifacts/crash-" <(tail -n 2 out)

((failures == 0)) && echo "all passed"
exit "$failures"
