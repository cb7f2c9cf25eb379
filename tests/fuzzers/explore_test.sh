#!/bin/bash
# The explorer: finds a planted bug with each strategy, in one process and in several; what it writes; what it refuses.
#   explore_test.sh BROKEN_EXPLORER BROKEN_FUZZ_TARGET EXPLORER LAUNCHER
set -u
source "$(dirname "$0")/expectations.sh"
broken=$(realpath "$1") target=$(realpath "$2") right=$(realpath "$3") launcher=$(realpath "$4")
unset BUILD_WORKSPACE_DIRECTORY BUILD_WORKING_DIRECTORY
cd "$TEST_TMPDIR" || exit 1
json() { python3 -c "import json; r = json.load(open('$1')); print($2)"; }

# Every strategy finds it, and the table has a row for each.
expect "the bug is found" status_is 1 "$broken" --strategy=portfolio,random,pct,dfs:2 --quiet --output=crashes --json=result
expect "the table" grep -qE '^strategy +executions +scenarios +schedules +behaviours +bugs +executions to first bug +seconds$' out
for strategy in portfolio random pct dfs:2; do
  expect "the row of $strategy" grep -qE "^$strategy +[0-9]+ +[0-9]+ +[0-9]+ +[0-9]+ +1 +[0-9]+ " out
done
expect "the report" grep -q '^Timeline: ' out
expect "the JSON has them all" test "$(json result "[s['strategy'] for s in r['strategies']]")" = "['portfolio', 'random', 'pct', 'dfs:2']"
expect "each with its bug" test "$(json result "[len(s['bugs']) for s in r['strategies']]")" = '[1, 1, 1, 1]'
expect "after some executions" test "$(json result "all(0 < s['executions_to_first_bug'] <= s['executions'] for s in r['strategies'])")" = True
expect "which is known to be minimal" test "$(json result "all(b['minimal'] and b['reproducible'] for s in r['strategies'] for b in s['bugs'])")" = True

# The crash files are inputs of the fuzz target.
for strategy in 0 1 2 3; do
  crash=$(json result "r['strategies'][$strategy]['bugs'][0]['file']")
  signature=$(json result "r['strategies'][$strategy]['bugs'][0]['signature']")
  expect "$crash replays" status_is 1 "$target" --replay "$crash"
  expect "as the same failure" grep -qF "Signature: $signature" out
  expect "$crash is minimal" status_is 0 "$target" --minimize "$crash" -o "minimal$strategy"
  expect "minimising changes nothing" test "$(stat -c %s "minimal$strategy")" = "$(stat -c %s "$crash")"
done
crash=$(json result "r['strategies'][0]['bugs'][0]['file']")
expect "the explorer replays it as well" status_is 1 "$broken" --replay "$crash"
expect "the engine executes it" test "$("$target" "$crash" >log 2>&1; echo $?)" -ne 0

# The same once more is the same; another seed need not be.
expect "again" status_is 1 "$broken" --quiet --output=again --json=again.json
expect "the same" test "$(json result "r['strategies'][0]['executions']")" = "$(json again.json "r['strategies'][0]['executions']")"
expect "with the same input" cmp "$crash" "$(json again.json "r['strategies'][0]['bugs'][0]['file']")"

# Several processes: what they find together is the same every time.
for run in 1 2; do
  expect "several processes" status_is 1 "$broken" --jobs=3 --stop=never --executions=30001 --quiet --output=jobs$run --json=jobs$run.json
done
what="[(s['executions'], s['distinct_schedules'], s['behaviours'], s['failures'], [b['signature'] for b in s['bugs']]) for s in r['strategies']]"
expect "find the same" test "$(json jobs1.json "$what")" = "$(json jobs2.json "$what")"
expect "the same files" diff -r jobs1 jobs2
expect "in all executions" test "$(json jobs1.json "r['strategies'][0]['executions']")" = 30001
expect "going on finds it again" test "$(json jobs1.json "r['strategies'][0]['failures'] > len(r['strategies'][0]['bugs']) >= 1")" = True
expect "one stops the others" status_is 1 "$broken" --jobs=2 --quiet --executions=1000000000 --output=jobs
expect "fewer executions than processes" status_is 0 "$right" --jobs=3 --executions=2 --quiet --json=few
expect "are all there are" test "$(json few "r['strategies'][0]['executions']")" = 2

# A right lock; a given scenario; everything there is.
expect "no bug in a right lock" status_is 0 "$right" --executions=20000 --jobs=2 --json=-
expect "the status line" grep -qE '^portfolio: [0-9]+ executions, [0-9]+ a second; [0-9]+ distinct schedules; [0-9]+ behaviours, the last new one [0-9]+ s ago; 0 bugs' out
printf 'jacquard scenario 2 rw_lock\nthread 0: read object=0\nthread 1: write object=0\n' >given.txt
expect "all there is of one scenario" status_is 0 "$right" given.txt --strategy=dfs --memory=sc --json=all
expect "is said" grep -q '(that is all there is)' out
expect "and in the JSON" test "$(json all "r['strategies'][0]['exhausted']")" = True
expect "with the schedules of two threads" test "$(json all "r['strategies'][0]['distinct_schedules'] > 100")" = True
cp given.txt twin.txt
expect "one scenario" status_is 0 "$right" given.txt --strategy=random --jobs=2 --executions=100 --quiet --json=one
expect "gets all executions" test "$(json one "r['strategies'][0]['executions']")" = 100
expect "of two equal scenarios" status_is 0 "$right" given.txt twin.txt --strategy=dfs --memory=sc --json=twins
expect "the schedules count once" test "$(json twins "r['strategies'][0]['distinct_schedules']")" = "$(json all "r['strategies'][0]['distinct_schedules']")"
expect "files may follow the strategy" status_is 0 "$right" --memory=sc --strategy dfs given.txt twin.txt --json=twins --force
expect "and are explored" test "$(json twins "[s['scenarios'] for s in r['strategies']]")" = '[2]'
expect "the bug in a given scenario" status_is 1 "$broken" given.txt --strategy=dfs --quiet --output=given
expect "the share of a depth-first search" status_is 0 "$right" given.txt --strategy=dfs --seconds=1
expect "is in the status line" grep -qE '; [0-9.]+ % done' out
expect "all small scenarios" status_is 1 "$broken" --scenarios=all --threads=2 --operations=1 --strategy=dfs:2 --quiet --output=small
mkdir folder && cp given.txt folder
expect "a folder of inputs" status_is 0 "$right" folder --executions=1000 --quiet

# A signal ends it, and does not look like a pass.
for to in 'INT ' 'TERM ' 'TERM -'; do  # a signal, and whether it is for all processes
  signal=${to% *} group=${to#* }
  setsid "$right" --strategy=pct,random --seconds=600 --jobs=2 --quiet --json=ended --force >out 2>&1 &
  explorer=$!
  while [[ $(pgrep -P $explorer | wc -l) -lt 2 ]]; do sleep 0.1; done
  sleep 0.5
  kill -s "$signal" -- "$group$explorer"
  wait $explorer
  expect "SIG$to" test $? -eq 72
  expect "is in the table" grep -q '^interrupted: pct is not complete; not begun: random$' out
  expect "and in the JSON" test "$(json ended "(r['interrupted'], r['strategies'][0]['interrupted'], r['not_begun'])")" = "(True, True, ['random'])"
done
expect "the end is no interruption" test "$(json all "(r['interrupted'], r['not_begun'])")" = '(False, [])'

# What it refuses.
expect "an unknown strategy" status_is 2 "$right" --strategy=luck
expect "the message has the list" grep -q '^  portfolio ' out
expect "a missing file" status_is 2 "$right" nowhere
expect "an unknown flag" status_is 2 "$right" --bogus
expect "too many threads" status_is 2 "$right" --threads=99
for flag in --executions --seconds --per-scenario; do
  expect "$flag=0" status_is 2 "$right" $flag=0
  expect "is explained" grep -q "^jacquard: $flag: \"0\" is not a number above 0" out
done
expect "a moment" status_is 2 "$right" --seconds=1e-9 --quiet
expect "is too short to pass" grep -q '^jacquard: portfolio: nothing was executed; --seconds=1e-09 is too short' out
expect "a name that is empty" status_is 2 "$right" --executions=10 --json ''
touch file
mkdir taken
for json in no/such/file taken file/file; do
  expect "a JSON that cannot be written" status_is 2 "$right" --json=$json --executions=1000000000
  expect "is named" grep -q "^jacquard: --json: $json: " out
done
echo mine >file
expect "what is there" status_is 2 "$right" --json=file --executions=1000000000
expect "is not overwritten" grep -q '^jacquard: --json: file: exists already; --force overwrites it' out
expect "but stays" grep -qx mine file
expect "with --force it may be" status_is 0 "$right" --json=file --force --executions=100 --quiet
expect "and is" test "$(json file "r['strategies'][0]['executions']")" = 100
expect "a folder that cannot be" status_is 2 "$right" --output=file/folder

# Through the launcher.
expect "the launcher" status_is 1 "$launcher" --label=//some:target "--binary_path=$broken" --seed_corpus=. --explore --strategy=random --quiet
expect "has a folder for crash files" grep -q "$TEST_TMPDIR/fuzzing/artifacts/crash-" out
for output in '--output=mine' '--output mine'; do
  # shellcheck disable=SC2086  # flags
  expect "another folder: $output" status_is 1 env "BUILD_WORKING_DIRECTORY=$PWD/folder" "$launcher" --label=//some:target \
    "--binary_path=$broken" --seed_corpus=. --explore --strategy=random --quiet $output
  expect "is relative to where the user is" test -n "$(ls folder/mine)"
  rm -rf folder/mine
done

((failures == 0)) && echo "all passed"
exit "$failures"
