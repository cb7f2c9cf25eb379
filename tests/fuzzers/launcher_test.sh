#!/bin/bash
# The launcher: its flags, its folders, and what it hands on.
#   launcher_test.sh LAUNCHER PROGRAM SEEDS
set -u
launcher=$(realpath "$1") program=$(realpath "$2") seeds=$(realpath "$3")
unset BUILD_WORKSPACE_DIRECTORY BUILD_WORKING_DIRECTORY
cd "$TEST_TMPDIR" || exit 1
export TMPDIR=$TEST_TMPDIR  # in sandboxes, processes of equal number would share libFuzzer's folders
export USER=tester
failures=0

fail() {
  echo "FAILED: $*"
  cat log
  failures=$((failures + 1))
}
launch() { "$launcher" --label=//some:target "--binary_path=$program" "--seed_corpus=$seeds" "$@" >log 2>&1; }

# Under a sanitizer the program runs real threads: then there is no timeline, and what an input reaches is up to chance.
simulated=1
if ! launch --html page.html --replay "$(ls "$seeds"/* | head -n 1)"; then
  grep -q -- '--html needs the simulated form' log || fail "--html is handed on"
  simulated=0
fi
rm -f page.html

launch --bogus
[[ $? -eq 2 ]] || fail "an unknown flag ends with status 2"
grep -q 'unknown flag --bogus' log || fail "an unknown flag is named"
launch --timeout_secs=soon
[[ $? -eq 2 ]] || fail "--timeout_secs wants a number"
launch --timeout_secs
[[ $? -eq 2 ]] || fail "--timeout_secs wants a value"
# FLAGS... MESSAGE
refuses() {
  launch "${@:1:$#-1}"
  [[ $? -eq 2 ]] || fail "status 2: $*"
  grep -qF -- "${*: -1}" log || fail "the message: $*"
}
for number in 99999999999999999999 1000000001 -1 1e3; do
  refuses --timeout_secs "$number" "--timeout_secs: \"$number\" is not a number of seconds from 0 to 1000000000"
done
for number in 99999999999999999999 257 0 08; do
  refuses --jobs "$number" "--jobs: \"$number\" is neither a number of processes from 1 to 256 nor \"all\""
done
refuses --fuzzing_output_root '' '--fuzzing_output_root: the name is empty; name a folder'
refuses --fuzzing_output_root= --clean --executions=1 '--fuzzing_output_root: the name is empty'
# What would have no effect.
input=$(ls "$seeds"/* | head -n 1)
refuses --regression --merge '--regression with --merge: only one of them can be done at a time'
refuses --merge --replay "$input" '--merge with --replay: only one of them can be done at a time'
refuses --clean --replay "$input" '--clean with --replay: what earlier runs have found is not removed then'
refuses --clean --merge '--clean with --merge: what earlier runs have found'
refuses --regression --executions 5 '--executions with --regression: each input is executed once'
refuses --merge --executions=5 '--executions with --merge: each input is executed once'
refuses --regression -runs=5 '-runs with --regression: each input is executed once'
refuses --jobs=2 --regression '--jobs with --regression: only a fuzzing run has several processes'
refuses --timeout_secs=2 --to-text "$input" '--timeout_secs with --to-text: only a fuzzing run has a time limit'
[[ ! -e $TEST_TMPDIR/fuzzing ]] || fail "nothing has been begun"
launch --dictionary_path=nowhere
[[ $? -eq 2 ]] || fail "a missing dictionary is an error"
refuses --dictionary_path=/nowhere/words '--dictionary_path: no file /nowhere/words'
launch --corpus_dir nowhere
[[ $? -eq 2 ]] || fail "a missing corpus is an error"
launch --help || fail "--help succeeds"
grep -q -- '--timeout_secs' log || fail "--help lists the flags"
launch --target_help || fail "--target_help succeeds"
grep -q -- '--shape' log || fail "--target_help is the target's"

launch --regression || fail "the regression run passes"
grep -q "files found in $seeds" log || fail "the regression run reads the seeds"

# A folder in place of the built seeds: the same compiler, and the same complaints.
mkdir -p given/more given/.hidden
echo 'No input.' >given/.hidden/file
printf 'jacquard scenario 2 rw_lock\nthread 0: write object=1\n' >given/one.txt
printf 'jacquard scenario 2 rw_lock\nthread 0: read object=1; read object=2\n' >given/more/two.txt
sums=$(find given -type f -exec sha256sum {} +)
declare -A says=([--regression]='2 files found in .*given_seeds' [--merge]='MERGE-OUTER: successful' [--executions=10]='seed corpus: files: 2 min: 3b')
for mode in "${!says[@]}"; do
  launch --corpus_dir given --fuzzing_output_root=given-out "$mode" || fail "$mode of a folder"
  grep -Eq "${says[$mode]}" log || fail "$mode takes the seeds"
  [[ $(find given-out/given_seeds -type f -size -10c | wc -l) -eq 2 ]] || fail "$mode compiles the texts"
  rm -r given-out/given_seeds
done
[[ $(find given -type f -exec sha256sum {} +) == "$sums" ]] || fail "the folder is as it was"
printf 'jacquard scenario 2 rw_lock\nthread 0: reed object=1\n' >given/more/wrong.txt
for mode in --regression --executions=10; do
  launch --corpus_dir given --fuzzing_output_root=given-out "$mode"
  [[ $? -eq 2 ]] || fail "$mode refuses a mistake in a text"
  grep -q 'given/more/wrong.txt:2:11: error: expected an operation, found "reed"' log || fail "$mode says where it is"
done
echo 'What I have found.' >given/more/wrong.txt
launch --corpus_dir given --fuzzing_output_root=given-out --regression
[[ $? -eq 2 ]] || fail "a text that is none is refused"
mv given/more/wrong.txt given/more/wrong
launch --corpus_dir given --fuzzing_output_root=given-out --regression || fail "what is no input is left to the engine"
grep -q 'warning: 1 of 3 files are no inputs' log || fail "and told of"
launch --corpus_dir given --fuzzing_output_root=given-out --regression --ordinary || fail "an ordinary target takes files as they are"
for flag in --triage --replay=some --shape=2x2 --executions=1; do
  launch --ordinary "$flag" -runs=1
  [[ $? -eq 2 ]] || fail "an ordinary target has no $flag"
  grep -q -- "${flag%%=*}: not with scenario = False" log || fail "and $flag is named"
done

# A run, in the default folder.
launch --executions 3000 -seed=1 || fail "a run ends well"
root=$TEST_TMPDIR/fuzzing
[[ -d $root/corpus && -d $root/artifacts ]] || fail "folders are made"
[[ -n $(ls -A "$root/corpus") ]] || fail "the corpus is kept"
grep -q "INFO: seed corpus: files: .*" log || fail "the seeds are used"
grep -q -- '-max_len is not provided' log && fail "libFuzzer is told how long inputs may be"
grep -q '^{"began":[0-9.]*,"seconds":.*,"executions":3[0-9]*,' "$root/progress.jsonl" || fail "how it went is written down"
grep -q $'\033' log && fail "there is no panel where there is no terminal"
touch "$root/corpus/mine"
launch --executions=10 --noclean || fail "a second run ends well"
launch --executions=10 -seed=2 || fail "a third one, too"
[[ -e $root/corpus/mine ]] || fail "an earlier corpus stays"
launch --clean --timeout_secs 0900 --executions=10 || fail "a clean run ends well"
[[ ! -e $root/corpus/mine ]] || fail "--clean removes it"
[[ $(wc -l <"$root/progress.jsonl") -eq 1 ]] || fail "--clean removes what was written down"
launch --fuzzing_output_root=elsewhere --executions=10 || fail "another folder"
[[ -d $TEST_TMPDIR/elsewhere/corpus ]] || fail "it is made"

# Nothing is removed that the user has named to be read, or that no run has made.
refuses --clean --corpus_dir "$root/corpus" --executions=10 "--corpus_dir $root/corpus: --clean would remove $root/corpus"
refuses --clean --corpus_dir "$root" --executions=10 "--corpus_dir $root: --clean would remove $root/corpus"
echo '"word"' >"$root/artifacts/words"
refuses --clean --dictionary_path "$root/artifacts/words" --executions=10 "--clean would remove $root/artifacts"
refuses --clean --executions=10 -max_len=64 "$root/corpus" "$root/corpus: --clean would remove $root/corpus"
refuses --clean --executions=10 "-dict=$root/artifacts/words" "-dict=$root/artifacts/words: --clean would remove $root/artifacts"
ln -s fuzzing/corpus link
refuses --clean --corpus_dir link --executions=10 "--clean would remove $root/corpus"
[[ -n $(ls -A "$root/corpus") && -e $root/artifacts/words ]] || fail "what was named is still there"
launch --corpus_dir "$root/corpus" --executions=10 || fail "what runs have found can be seeds"
if [[ -n $(ls -A "$root/given_seeds") ]]; then
  refuses --corpus_dir "$root/given_seeds" --executions=10 "--corpus_dir $root/given_seeds: the run would write anew $root/given_seeds"
  [[ -n $(ls -A "$root/given_seeds") ]] || fail "seeds that an earlier run has left are still there"
else
  fail "seeds are left"
fi
mkdir -p sources/corpus sources/artifacts && touch sources/corpus/mine sources/artifacts/mine
launch --fuzzing_output_root=sources --executions=10 || fail "a run may go on from a corpus from elsewhere"
refuses --fuzzing_output_root=sources --clean --executions=10 "--clean: $TEST_TMPDIR/sources/corpus was not made by a run; remove it yourself"
[[ -e sources/corpus/mine && -e sources/artifacts/mine ]] || fail "files of the user stay"
touch elsewhere/corpus/mine
launch --fuzzing_output_root=elsewhere --clean --executions=10 || fail "--clean of what a run has made"
[[ ! -e elsewhere/corpus/mine ]] || fail "removes it"
# Where nothing can be removed, or written, nothing is fuzzed.
mkdir bin && printf '#!/bin/sh\nexit 1\n' >bin/rm && chmod +x bin/rm
PATH=$PWD/bin:$PATH refuses --fuzzing_output_root=elsewhere --clean --executions=10 "--clean: cannot remove what is in $TEST_TMPDIR/elsewhere"
for folder in corpus artifacts; do
  rm -r "elsewhere/$folder" && ln -s /proc "elsewhere/$folder" # where nobody can make a file
  refuses --fuzzing_output_root=elsewhere --executions=10 "cannot write to $TEST_TMPDIR/elsewhere/$folder (is it read-only"
  rm "elsewhere/$folder"
done

# By user and target, outside of tests.
(unset TEST_TMPDIR && TMPDIR=$PWD/tmp && export TMPDIR && mkdir tmp && launch --executions=10) || fail "a run in TMPDIR"
[[ -d tmp/jacquard-$(id -un)/some/target/corpus ]] || fail "a folder by user and target"

# What writes nothing there needs no such folder.
(unset TEST_TMPDIR && export TMPDIR=/proc/nowhere && launch --to-text "$input") || fail "--to-text without a TMPDIR"
(unset TEST_TMPDIR && export TMPDIR=/proc/nowhere && launch --executions=10)
[[ $? -eq 2 ]] || fail "a run without a TMPDIR"
grep -q 'cannot make /proc/nowhere/jacquard-' log || fail "says so"

# Flags of the target are handed on, each in both forms: all those that its help lists and that take a value.
declare -A example=([shape]=2x2 [executions]=1 [max-steps]=5000 [time-limit]=9 [memory]=sc [max-history]=8 [features]=states,reads [mutations]=records [addresses]=writes)
launch --target_help
read -ra flags <<<"$(grep -oE -- '--[a-z-]+ (TEXT|INT|UINT|FLOAT|MODE|LIST)' log | grep -vE -- '--(replay|minimize|triage|add-regression|to-text|from-text|seed-corpus|sources|output|repeat|html) ' |
  sed 's/--//; s/ .*//' | tr '\n' ' ')"
((${#flags[@]} >= 6)) || fail "the help lists the flags: ${flags[*]}"
for flag in "${flags[@]}"; do
  launch "--$flag" "${example[$flag]}" -runs=1 || fail "--$flag VALUE is handed on"
  launch "--$flag=${example[$flag]}" -runs=1 || fail "--$flag=VALUE is handed on"
done
# Several processes.
launch --jobs=none
[[ $? -eq 2 ]] || fail "--jobs wants a number"
launch --clean --jobs 2 -runs=20000 -seed=1 || fail "--jobs ends well"
grep -q 'fork' log || fail "--jobs starts processes"

# A signal ends all of them.
running() { pgrep -c -f -- "-artifact_prefix=$root/artifacts/"; }
for signal in TERM INT; do
  # With job control a process in the background may be interrupted.
  set -m
  "$launcher" --label=//some:target "--binary_path=$program" "--seed_corpus=$seeds" --jobs 2 --timeout_secs 300 >log 2>&1 &
  pid=$!
  set +m
  for ((i = 0; i < 300 && $(running) < 3; ++i)); do sleep 0.1; done
  kill -s "$signal" "$pid"
  wait "$pid"
  status=$?
  # The engine's: that of an interrupted one, or of one that has seen a process of its own end by the signal before.
  [[ $status -eq 72 || $status -eq $(kill -l "$signal") ]] || fail "SIG$signal ends the launcher with status $status"
  [[ $(running) -eq 0 ]] || fail "SIG$signal leaves $(running) processes behind"
done

# A smaller corpus that reaches as much; the old one stays.
features() { "$program" -runs=0 "$1" 2>&1 | sed -n 's/.*INITED.* ft: \([0-9]*\) .*/\1/p'; }
launch --clean -runs=20000 -seed=1 || fail "a run before the merge"
touch -d 2000-01-01 "$root/corpus"/*
before=$(features "$root/corpus")
launch --merge || fail "--merge ends well"
merged=$(find "$root/corpus" -type f | wc -l)
kept=$(find "$root/corpus-before-merge-1" -type f | wc -l)
((merged > 0 && merged < kept)) || fail "$merged inputs after the merge, $kept before"
if ((simulated)); then
  [[ $(features "$root/corpus") -ge $before ]] || fail "the merged corpus reaches $before features"
fi
launch --merge || fail "a second merge"
[[ -d $root/corpus-before-merge-1 && -d $root/corpus-before-merge-2 ]] || fail "each merge keeps the corpus before it"
# As on a full disk: what the engine writes is cut off, or not there at all.
cat >full <<'END'
#!/bin/bash
"$PROGRAM" "$@" || exit
for argument; do [[ $argument != */merged-* ]] || find "$argument" -type f -size +0 | head -n 1 | xargs $SPOIL; done
END
chmod +x full
sums=$(sha256sum "$root/corpus"/*)
for spoil in 'truncate -s 0' 'truncate -s -1' rm; do
  PROGRAM=$program SPOIL=$spoil launch --merge "--binary_path=$PWD/full"
  [[ $? -eq 2 ]] || fail "a merge that is not written ends with status 2: $spoil"
  grep -q 'could not write all that it keeps (is the disk full?); the corpus is as it was' log || fail "it says so: $spoil"
  [[ $(sha256sum "$root/corpus"/*) == "$sums" ]] || fail "the corpus stays: $spoil"
done

# Without a folder, what has been found; and nothing has been.
launch --triage || fail "--triage finds nothing in an empty folder"
grep -q "$root/artifacts: 0 bugs" log || fail "--triage looks into the artifacts' folder"
launch --triage=missing
[[ $? -eq 2 ]] || fail "a missing folder is an error"
launch --add-regression "$(ls "$seeds"/* | head -n 1)"
[[ $? -eq 2 ]] || fail "--add-regression without a folder of the sources"
grep -q -- '-o FOLDER is missing' log || fail "and says what is missing"

launch --replay "$(ls "$seeds"/* | head -n 1)" || fail "--replay is handed on"
grep -q 'passes' log || fail "replay passes"
if ((simulated)); then
  launch --html page.html --replay "$(ls "$seeds"/* | head -n 1)" || fail "--html is handed on"
  grep -q 'passes' log || fail "replay with --html passes"
fi
launch --replay=missing
[[ $? -eq 2 ]] || fail "the target's status comes through"

((failures == 0)) && echo "all passed"
exit "$failures"
