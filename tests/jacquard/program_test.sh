#!/bin/bash
# Programs run as they are: main is the body, options stand in front of "--" or in the environment, and the exit status
# says what was found.
set -u
c=$(realpath "$1")
cc=$(realpath "$2")
reads_input=$(realpath "$3")
before_main=$(realpath "$4")
own_new=$(realpath "$5")
exits=$(realpath "$6")
attributes=$(realpath "$7")
manual=$(realpath docs/test_your_code.md)
failed=0 options=0
unset JACQUARD_OPTIONS JACQUARD_REPLAY TEST_TARGET

# expect STATUS TEXT COMMAND...: the status, and a text (extended regular expression) among the output.
expect() {
  local status=$1 text=$2
  shift 2
  output=$("$@" 2>&1)
  local got=$?
  [[ $got -eq $status ]] || { echo "FAILED: $* ended with $got, not $status: ${output:0:2000}"; failed=1; }
  grep -qE -- "$text" <<<"$output" || { echo "FAILED: $*: no \"$text\" in ${output:0:2000}"; failed=1; }
}

expect 0 '^jacquard: 200 executions' "$c" executions=200 quiet=1
expect 0 '^jacquard: 200 executions' "$c" executions=200 quiet=on minimize=0
expect 0 '^jacquard: 200 executions' "$c" --executions=200 --quiet=1 -- -n 2 right
expect 1 '^abort: assert\(total == 2 \* count\)' "$c" executions=20000 quiet=1 -- wrong
expect 1 'Timeline: ' env JACQUARD_OPTIONS="executions=20000 quiet=1" "$c" -n 3 wrong
[[ $(grep -c '^executes wrong$' <<<"$output") -eq 1 ]] || { echo "FAILED: not quiet: $output"; failed=1; }

# The command that is printed replays it.
command=$(sed -n 's/^Replay: *//p' <<<"$output")
expect 1 '^jacquard: 1 executions' bash -c "$command"
expect 1 '^abort: assert' env JACQUARD_OPTIONS="replay=$(sed 's/.*JACQUARD_REPLAY=\([^ ]*\) .*/\1/' <<<"$command")" \
  "$c" -n 3 wrong

# Without quiet everything is printed; exit statuses are the program's own affair, unless asked for.
expect 0 '^executes exits$' "$c" executions=20 -- exits 3
[[ $(grep -c '^executes exits$' <<<"$output") -eq 20 ]] || { echo "FAILED: not 20 times: $output"; failed=1; }
expect 1 '^exit: status 3: ' "$c" executions=20 status=report -- exits 3
expect 0 '^jacquard: 20 executions' "$c" executions=20 status=report -- exits 0
expect 1 '^exit: status 3: ' "$attributes" executions=1 status=report

# The time is over before one execution is, and it is said where it was.
expect 3 '^jacquard: the time was over before one execution had come to its end$' "$c" seconds=0.2 -- computes
expect 3 '^  thread 0: running in main .*program\.c:' "$c" seconds=0.2 -- computes

# Globals are constructed once, and as they were at the beginning of each execution.
expect 0 '^jacquard: 500 executions' "$cc" executions=500 status=report constructors=once
[[ $(grep -c '^constructed$' <<<"$output") -eq 1 ]] || { echo "FAILED: not constructed once: $output"; failed=1; }
expect 1 '^exit: status 4: ' env JACQUARD_OPTIONS="executions=500 status=report" "$cc" argument
# Unless there is a thread that nobody joins: it may use them while they are destroyed.
expect 0 '^jacquard: 50 executions' "$cc" executions=50 status=report
[[ $(grep -c '^constructed$' <<<"$output") -eq 51 && $(grep -c '^destroyed$' <<<"$output") -eq 50 ]] ||
  { echo "FAILED: not constructed in each execution: $output"; failed=1; }

# So is what their constructors have made: large blocks, the first thread's variables, and what it is called.
expect 0 '^jacquard: 100 executions' "$before_main" executions=100 status=report
expect 1 '^abort: .*abort' "$before_main" executions=100 -- fails
# Another thread can race for these variables.
expect 0 '^jacquard: 100 executions' "$before_main" executions=100 status=report -- shares
expect 1 '^race: plain read and plain write: thread 0 reads 4 bytes of thread 0.s number,' "$before_main" executions=100 -- races
# A pipe is the program's own, too, and may be at its end where one end is closed.
expect 1 '^deadlock: no thread can run: thread 0 is in a read that waits' "$before_main" executions=100 -- reads
expect 2 '^unsupported: a read that waits: ' "$before_main" executions=100 -- closes
expect 2 '^unsupported: mremap of memory that was mapped before main' "$before_main" executions=100 -- moves

# An operator new of the program's own is called by the other forms, and hides nothing.
expect 0 '^jacquard: 300 executions' "$own_new" executions=300 status=report
expect 1 '^leak: memory leak: a block of 56 bytes that thread 0 allocated with malloc' "$own_new" executions=300 -- lose
expect 1 '^heap error: heap overflow: writes a byte, beginning 0 bytes behind the end of a block of 40 bytes' "$own_new" executions=300 -- overflow
expect 1 '^heap error: use after free: reads 4 bytes' "$own_new" executions=300 -- free

# An execution that the program itself ends is judged like others.
expect 1 '^deadlock: lost wake-up: thread 0 waits for the condition variable' "$exits" executions=2000 -- lost
expect 1 '^deadlock: ' "$exits" executions=2000 -- serves
expect 0 '^jacquard: 2000 executions' "$exits" executions=2000 -- keeps
expect 1 '^abort: ' "$exits" executions=2000 -- late
expect 1 '^abort: ' "$exits" executions=2000 -- late by exit
expect 1 '^abort: ' "$exits" strategy=sleep memory=sc -- late
expect 1 '^leak: memory leak: a block of 20 bytes' "$exits" executions=2000 -- leaks
expect 0 '^jacquard: 2000 executions' "$exits" executions=2000 leaks=ignore -- leaks

# Standard input is there in each execution, as it was when the process began.
printf '%s\n' 9 1 2 4 >"$TEST_TMPDIR/input"
rest='read -r first; "$0" executions=50 -- "$1"'
for way in stdio read streams unsynchronised; do
  expect 0 '^jacquard: 50 executions' bash -c "$rest" "$reads_input" "$way" <"$TEST_TMPDIR/input"
  expect 1 'sum == 7' "$reads_input" executions=50 -- "$way" <"$TEST_TMPDIR/input"
  # Of a pipe that has begun to come, and may end later.
  expect 0 '^jacquard: 50 executions' bash -c "$rest" "$reads_input" "$way" < <(cat "$TEST_TMPDIR/input")
  expect 1 'sum == 7' bash -c "read -r first; $rest" "$reads_input" "$way" < <(cat "$TEST_TMPDIR/input")
done
expect 0 '^jacquard: waits for the end of standard input' bash -c "$rest" "$reads_input" read < \
  <(head -2 "$TEST_TMPDIR/input"; sleep 5; tail -2 "$TEST_TMPDIR/input")
expect 2 'more than 64 MiB' bash -c "$rest" "$reads_input" read < <(yes)

# While it runs there is a line, and at the end a table; not with quiet=1.
expect 0 'portfolio: [0-9]+ executions, [0-9]+ a second; [0-9]+ distinct schedules; [0-9]+ behaviours, .*; 0 bugs$' \
  "$c" executions=2000
expect 0 '^portfolio +2000 +1 +[0-9]+ +[0-9]+ +0 +- +[0-9.]+$' "$c" executions=2000
expect 0 '^  random +[0-9]+ ' "$c" executions=2000
expect 0 '; 100.00 % done, about 0 s left$' "$c" strategy=dfs memory=sc
expect 0 '^dfs .*\(that is all there is\)$' "$c" strategy=dfs memory=sc
expect 1 '^portfolio +[0-9]+ +1 +[0-9]+ +[0-9]+ +1 +[0-9]+ ' "$c" executions=20000 -- wrong
expect 0 '^jacquard: 2000 executions' "$c" executions=2000 quiet=1
grep -qE '^portfolio' <<<"$output" && { echo "FAILED: not quiet: $output"; failed=1; }
expect 1 '^[0-9]+ x abort\|assert' "$c" executions=20000 quiet=1 -- wrong
grep -qE '^portfolio' <<<"$output" && { echo "FAILED: not quiet: $output"; failed=1; }

# Several processes: they find the bug together, and the same each time; the token replays it.
result="$TEST_TMPDIR/result"
expect 0 '^jacquard: 20001 executions' "$c" executions=20001 jobs=3
expect 1 '^jacquard: 20001 executions' "$c" executions=20001 jobs=3 stop=never quiet=1 "result=$result" -- wrong
mv "$result" "$result.first"
expect 1 '^abort: assert' "$c" executions=20001 jobs=3 stop=never quiet=1 "result=$result" -- wrong
diff <(grep -v seconds "$result.first") <(grep -v seconds "$result") || { echo "FAILED: not the same twice"; failed=1; }
grep -q '"executions": 20001,' "$result" || { echo "FAILED: no executions in $(cat "$result")"; failed=1; }
expect 1 '^jacquard: 1 executions' "$c" "replay=$(sed -n 's/.*"token": "\(.*\)".*/\1/p' "$result")" -- wrong
expect 1 '^Timeline: ' "$c" executions=1000000000 jobs=2 quiet=1 "json=$result" -- wrong
grep -q '"abort"' "$result" || { echo "FAILED: the JSON is not of the bug"; failed=1; }
expect 0 'a search that has an end is done by one process' "$c" strategy=dfs memory=sc jobs=2
expect 3 'the time was over before one execution had come to its end' "$c" seconds=0.2 jobs=2 -- computes
expect 3 'the time was over before one execution had come to its end' "$c" seconds=0.2 quiet=1 -- computes
expect 2 'option jobs: "0" is not a whole number from 1 to 256' "$c" jobs=0
expect 2 'cannot write' "$c" executions=5 result=/no/such/folder/file

# Wrong requests.
expect 2 'no option "speed"' "$c" speed=9 -- right
expect 2 'JACQUARD_OPTIONS: option seconds: "-1"' env JACQUARD_OPTIONS=seconds=-1 "$c"
expect 2 'replay token cannot be read' "$c" replay=J1rubbish
expect 2 'cannot write' "$c" executions=5 json=/no/such/folder/file
expect 0 '^  random' "$c" strategy=help
expect 0 'usage: ' "$c" --help
for name in $(sed -nE 's/^  ([a-z_]+)=.*/\1/p' <<<"$output"); do
  grep -q "\`$name\`" "$manual" || { echo "FAILED: the manual does not name $name"; failed=1; }
  ((++options))
done
((options > 20)) || { echo "FAILED: options found in the help: $options"; failed=1; }
exit $failed
