#!/bin/bash
# A folder of crash files becomes a short list, and an entry of it a regression.
#   triage_test.sh BROKEN RIGHT MISBEHAVING LAUNCHER
# BROKEN and RIGHT are the same target on a lock with a bug and without.
set -u
broken=$(realpath "$1") right=$(realpath "$2") misbehaving=$(realpath "$3") launcher=$(realpath "$4")
. tests/fuzzers/expectations.sh
invariant=$(realpath tests/planted_bugs/no_recheck.txt)
cd "$TEST_TMPDIR" || exit 1
unset BUILD_WORKSPACE_DIRECTORY BUILD_WORKING_DIRECTORY

# What one campaign after another finds: mostly the race. And what else may lie in such a folder.
mkdir found
for seed in 1 2 3 4 5 6 7 8; do "$broken" "-seed=$seed" -artifact_prefix=found/ >log 2>&1; done
crashes=$(find found -name 'crash-*' | wc -l)
((crashes >= 6)) || { echo "FAILED: $crashes crash files"; failures=$((failures + 1)); }
cp "$invariant" found/
printf 'jacquard scenario 2 vma_lock\nthread 0: lock; unlock\n' >found/passes.txt
echo 'What I have found.' >found/notes
sums=$(sha256sum found/*)

expect "bugs are a failure" status_is 1 "$broken" --triage found
expect "the head counts" grep -Eq "^found: [23] bugs in $((crashes + 1)) files; 1 passing; 1 no input of this target$" out
expect "the invariant" grep -q '[0-9]\. invariant|reader and writer in one VMA|start_read$' out
expect "the race" grep -q '[0-9]\. race|plain read and plain write|start_read$' out
expect "every time" grep -q '^    reproduces  10 of 10$' out
expect "not less often" test "$(grep -c '^    reproduces' out)" = "$(grep -c '^    reproduces  10 of 10$' out)"
expect "what passes is named" grep -q '^    found/passes.txt$' out
expect "what is no input says why" grep -q '^    found/notes: not an input of this target' out
expect "nothing is changed or deleted" test "$(sha256sum found/* 2>/dev/null)" = "$sums"
reproducer=found/reproducers/race-plain_read_and_plain_write-start_read.txt
expect "named after the signature" test -f "$reproducer"
expect "it says its verdict" grep -qx '# verdict: race|plain read and plain write|start_read' "$reproducer"
replay=$(grep -m 1 '^    replay ' out | sed 's/^    replay *//')
# shellcheck disable=SC2086  # a command line
expect "the command replays: $replay" status_is 1 $replay

# Once more: the same list, and nothing new is written.
cp -r found/reproducers before
"$broken" --triage found >second 2>&1
expect "the same reproducers" diff -r before found/reproducers
"$broken" --triage found --json >json 2>log
expect "JSON" python3 -c '
import json
triage = json.load(open("json"))
assert triage["jacquard_triage"] == 1 and triage["passing"] == ["found/passes.txt"] and len(triage["no_inputs"]) == 1
assert sum(len(bug["files"]) for bug in triage["bugs"]) == int("'$((crashes + 1))'")
for bug in triage["bugs"]:
    assert bug["reproduced"] == bug["replays"] == 10 and bug["first_seen"] <= bug["last_seen"]
    assert "not_minimised" not in bug
'
expect "-o names another folder" status_is 1 "$broken" --triage found -o elsewhere
expect "that is written to" test -f "elsewhere/$(basename "$reproducer")"
mkdir "a folder" && cp "$reproducer" "a folder"
expect "a folder with a space" status_is 1 "$broken" --triage "a folder"
replay=$(grep -m 1 '^    replay ' out | sed 's/^    replay *//')
expect "has a command for a shell: $replay" status_is 1 bash -c "$replay"
expect "the right lock passes" status_is 0 "$right" --triage found
expect "no bug there" grep -q "^found: 0 bugs in 0 files; $((crashes + 2)) passing" out
expect "a missing folder is an error" status_is 2 "$broken" --triage nowhere
expect "and is named" grep -q 'nowhere: No such file' out

# Whatever ends the process is an entry too: here a hang without a step.
mkdir hangs
printf 'jacquard scenario 2 misbehaving\nthread 0: compute_for_ever\n' >hangs/loop.txt
expect "a hang is found" status_is 1 "$misbehaving" --time-limit=0.3 --triage hangs
expect "and listed" grep -q '^hangs: 1 bug in 1 file$' out
expect "and reproduces" grep -q '^    reproduces  10 of 10$' out

# Into the corpus, once, also when the bug is fixed.
mkdir corpus
expect "a crash file becomes a regression" status_is 0 "$broken" --add-regression "$reproducer" -o corpus
regression=corpus/$(basename "$reproducer")
expect "its path is printed" grep -qx "$regression" out
expect "it is the input" test "$("$broken" --to-text "$regression" 2>&1)" = "$("$broken" --to-text "$reproducer" 2>&1)"
expect "fixed: it still says what it was" status_is 0 "$right" --add-regression "$reproducer" -o corpus
expect "it is there already" grep -q 'is there already' out
expect "one file" test "$(ls corpus | wc -l)" = 1
expect "what passes and says nothing has no name" status_is 2 "$right" --add-regression found/passes.txt -o corpus
expect "no folder" status_is 2 "$broken" --add-regression "$reproducer"
mkdir minimised
expect "a failure is minimised" status_is 0 "$broken" --minimize "$reproducer" -o minimised.txt
expect "fixed: that says what it was, too" status_is 0 "$right" --add-regression minimised.txt -o minimised
expect "and has the same name" test -f "minimised/$(basename "$reproducer")"
mkdir -p workspace/corpus/here
export BUILD_WORKSPACE_DIRECTORY=$PWD/workspace
expect "the launcher knows the folder" status_is 0 "$launcher" --label=//some:target "--binary_path=$broken" --seed_corpus=corpus \
  --corpus_source=corpus/here --add-regression "$PWD/$reproducer"
expect "and it went there" test -f "workspace/corpus/here/$(basename "$reproducer")"

((failures == 0)) && echo "all passed"
exit "$failures"
