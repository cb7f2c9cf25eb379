#!/bin/bash
# What is wrong with an input, a text or a flag is said clearly, and ends with status 2.
#   bad_input_test.sh PROGRAM
set -u
program=$(realpath "$1")
cd "$TEST_TMPDIR" || exit 1
export TMPDIR=$TEST_TMPDIR  # in sandboxes, processes of equal number would share libFuzzer's folders
failures=0

# MESSAGE FLAGS...: status 2 and the message, on standard error.
refuses() {
  local message=$1 status
  shift
  "$program" "$@" >out 2>err
  status=$?
  if ((status != 2)) || ! grep -qF -- "$message" err || [[ -s out ]]; then
    echo "FAILED: $* ends with $status and prints:"
    cat out err
    failures=$((failures + 1))
  fi
}

printf '\x89PNG\r\n\x1a\n' >image
refuses 'image: not an input of this target' --replay image
refuses 'image: not an input of this target' --to-text image
refuses 'missing: No such file' --replay missing
refuses 'Is a directory' --replay .
head -c 2000000 /dev/zero >large
refuses 'large: larger than 1048576 bytes' --replay large

printf 'jacquard scenario 2 rw_lock\nthread 0: reed object=1\n' >typing.txt
refuses 'typing.txt:2:11: error: expected an operation, found "reed"; there are: read, write, try_write' \
  --replay typing.txt
refuses 'typing.txt:2:11: error:' --from-text typing.txt -o bytes
refuses 'typing.txt:2:11: error:' --seed-corpus folder typing.txt
[[ -e bytes || -n $(ls -A folder) ]] && { echo "FAILED: a mistake left something behind"; failures=$((failures + 1)); }
printf 'jacquard scenario 1 vma_lock\n' >other.txt
refuses 'the text is for target "vma_lock", this program is "rw_lock"' --replay other.txt
printf 'hello\n' >hello.txt
refuses 'hello.txt:1:1: error: expected "jacquard scenario 2 rw_lock"' --replay hello.txt

refuses '--bogus' --bogus
refuses '--bogus' --replay typing.txt --bogus
refuses '--shape: "3" is not THREADSxOPERATIONS' --shape 3
refuses '--shape: "9x4" is not THREADSxOPERATIONS with 1 to 4 threads' --shape=9x4
refuses '--shape' --shape 3x4 --to-text image
refuses '--replay' --replay
refuses '--to-text' --to-text image --from-text image
refuses '--executions' --executions many
refuses '--memory: tso not in {sc,rc11}' --memory tso
refuses '--time-limit: "abc" is not a number above 0' --time-limit abc
refuses '--max-steps: "0" is not a number above 0' --max-steps 0
for flag in --replay --minimize --triage --to-text --from-text --seed-corpus; do
  refuses "$flag: the name is empty; name a file" "$flag" ''
done
refuses '--html: the name is empty' --replay typing.txt --html ''
refuses '--html' --replay typing.txt --html=
refuses '--output: the name is empty' --to-text typing.txt -o ''
refuses '--html: only with --replay or --minimize' --html page.html
refuses '--all: only with --replay or --minimize' --all -runs=1
refuses '--all: only with --replay or --minimize' --all --triage .
refuses '--json: only with --replay, --minimize or --triage' --json -runs=1
refuses '--force: a fuzzing run overwrites no file' --force -runs=1
refuses "--output: a fuzzing run writes to the engine's -artifact_prefix" --output file -runs=1
refuses '-runs=3' --replay typing.txt -runs=3

refuses 'The required directory "nowhere" does not exist' nowhere
refuses 'The required directory "nowhere/" does not exist' -artifact_prefix=nowhere/ -runs=1
echo 'no dictionary' >words
refuses 'ParseDictionaryFile: error in line 1' -dict=words -runs=1
refuses 'ParseDictionaryFile: file does not exist or is empty' -dict=nowhere -runs=1
"$program" -jobs=1 -workers=1 -seed=1 -runs=1000 --max-steps 2 --time-limit 0.3 >log 2>&1
status=$?
if ((status != 0 && status != 1)); then
  echo "FAILED: a failure of -jobs ends with $status, which is no bad flag"
  failures=$((failures + 1))
fi

# What libFuzzer executes first is an input, and the same one for both.
echo >newline
for flags in '--replay newline' newline '--to-text newline'; do
  # shellcheck disable=SC2086  # flags
  "$program" $flags >log 2>&1 || { echo "FAILED: $flags ends with $?"; cat log; failures=$((failures + 1)); }
done
printf '\n\n' >newlines
refuses 'newlines: not an input of this target' --replay newlines

printf '\x01' >empty
"$program" --to-text empty -o existing && cp existing before
refuses 'existing: exists already; --force overwrites it' --to-text empty -o existing
cmp -s existing before || { echo "FAILED: an existing file was changed"; failures=$((failures + 1)); }
refuses 'No such file' --to-text empty -o no/such/folder

# What cannot be written as a whole leaves nothing that is in the way of the next attempt.
"$program" --to-text empty -o whole
for flags in '--to-text empty' '--to-text empty --force' '--from-text whole'; do
  # shellcheck disable=SC2086  # flags
  said=$(trap '' XFSZ && ulimit -f 0 && "$program" $flags -o part 2>&1)
  status=$?
  if ((status != 2)) || [[ $said != 'jacquard: part: File too large' || -e part ]]; then
    echo "FAILED: $flags without room ends with $status and says: $said"
    failures=$((failures + 1))
  fi
done

# What --force overwrites stays until all is written; then it has the old mode, and links lead to it.
fail() {
  echo "FAILED: $1"
  failures=$((failures + 1))
}
mkdir old && printf 'mine\n' >old/file && chmod 640 old/file && ln -s old/file link
(trap '' XFSZ && ulimit -f 0 && "$program" --to-text empty --force -o link >/dev/null 2>&1)
[[ $(<old/file) == mine && $(ls -A old) == file ]] || fail "without room the old file stays"
"$program" --to-text empty --force -o link || fail "--force overwrites"
[[ -L link && $(stat -c %a old/file) == 640 ]] && cmp -s old/file before || fail "what a link leads to, with its mode"
"$program" --to-text empty --force -o /dev/null && [[ -c /dev/null ]] || fail "a device is no file to be replaced"
mkfifo pipe && { cat pipe >piped & } && "$program" --to-text empty --force -o pipe && wait $! && cmp -s piped before || fail "nor is a pipe"

((failures == 0)) && echo "all passed"
exit "$failures"
