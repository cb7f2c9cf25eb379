#!/bin/bash
# The fuzzer finds a planted bug from an empty corpus; what it prints; replay; nothing is overwritten.
#   end_to_end_test.sh PROGRAM VERDICT [SIGNATURE_PART]
set -u
source "$(dirname "$0")/expectations.sh"
program=$(realpath "$1") verdict=$2
cd "$TEST_TMPDIR" || exit 1
export TMPDIR=$TEST_TMPDIR  # in sandboxes, processes of equal number would share libFuzzer's folders
# The report proper: without what the engine adds and the command, which names different files.
report() { sed -n "/^$verdict: /,/^Signature: /p" "$1"; }

mkdir artifacts
"$program" -seed=1 -runs=3000000 -artifact_prefix=artifacts/ >log 2>&1
expect "the fuzzer ends with a failure" test $? -ne 0
crash=$(tail -n 1 log)
expect "the last line is the path of the crash file, not $crash" test -s "$crash"
expect "the only artifact is that file" test "$(ls artifacts)" = "$(basename "$crash")"
expect "the line before is the command" grep -qF -- "--replay $crash" <(tail -n 2 log)
report log >first
expect "the report says what was violated" test -s first
expect "the report has a timeline" grep -qE '^Timeline: [0-9]+ threads, [0-9]+ steps' first
# What a step does stands on its row, or where the columns are narrow on the next.
expect "the timeline has steps" grep -qE '(load|store|CAS|fetch_)' <(grep -E -A 2 '^ +1 ' first)
expect "the report has a signature" grep -q '^Signature: ' first

expect "replay fails with status 1" status_is 1 "$program" --replay "$crash"
report out >second
expect "replay prints the same again" diff first second
expect "replay names its command" grep -qF -- "--replay $crash" out
expect "from another folder and with another environment" \
  status_is 1 env -C / MORE="$(seq 2000)" "$program" --replay "$PWD/$crash"
report out >third
expect "that prints the same, too" diff first third

# A crash file that cannot be written, in whole or at all, is not named: the input is printed.
for prefix in /proc/ cut/; do
  mkdir -p cut
  (trap '' XFSZ && ulimit -f 0 && "$program" -seed=1 -runs=3000000 -handle_xfsz=0 "-artifact_prefix=$prefix" 2>&1) | cat >lost
  expect "the status stays" test "${PIPESTATUS[0]}" -eq 77
  expect "the file is missing" grep -q "^jacquard: $prefix$(basename "$crash") could not be written whole (is the folder" lost
  expect "no command replays it" test "$(grep -c '^Replay:' lost)" -eq 0
  expect "no part of it is left" test -z "$(ls -A cut)"
  tail -n 1 lost | base64 -d >recovered
  expect "the last line is the input" cmp recovered "$crash"
done

# The commands are for a shell, whatever files are called.
mkdir "a b" && cp "$crash" "a b/it's"
expect "of a name with a space" status_is 1 "$program" --replay "a b/it's"
command=$(sed -n 's/^Replay: *//p' out)
expect "the command replays: $command" status_is 1 bash -c "$command"
ln "$program" "a b/my program" 2>/dev/null || cp "$program" "a b/my program"
"a b/my program" -seed=1 -runs=3000000 "-artifact_prefix=a b/" >log4 2>&1
command=$(sed -n 's/^Replay: *//p' log4)
expect "a run's command replays: $command" status_is 1 bash -c "$command"

# The text form of the crash file fails in the same way.
expect "to text" status_is 0 "$program" --to-text "$crash" -o crash.txt
expect "the text form is a text" grep -q '^jacquard scenario 2 rw_lock$' crash.txt
expect "a text replays" status_is 1 "$program" --replay crash.txt
report out >fourth
expect "with the same report" diff first fourth
mkdir texts
(echo '# With a comment in front.'; cat crash.txt) >texts/commented.txt
for what in crash.txt texts; do
  expect "the engine executes a text: $what" status_is 77 "$program" -runs=0 "$what"
  report out >engine
  expect "with the same report" diff first engine
done
expect "and replays it" status_is 1 "$program" --replay "$(tail -n 1 out)"
sed 's/^jacquard scenario 2 rw_lock$/&\nthread 0: reed object=0/' crash.txt >texts/commented.txt
for arguments in texts/commented.txt '-runs=0 texts' 'texts'; do
  # shellcheck disable=SC2086  # a command line
  expect "a mistake in a text: $arguments" status_is 2 "$program" $arguments
  expect "is named" grep -q '^jacquard: texts/commented.txt:2:11: error: expected an operation, found "reed"' out
done
expect "a text that is cut off" status_is 2 "$program" -max_len=30 texts/commented.txt
expect "says so" grep -q '^jacquard: texts/commented.txt: -max_len=30 cuts off this text$' out
printf 'jacquard scenario 2 rw_lock\nthread 0: read object=1\nthread 1: read object=1\n' >texts/commented.txt
expect "texts are mutated as what they say" status_is 77 "$program" -seed=1 -runs=3000000 texts
find texts -type f ! -name '*.txt' -exec grep -l acquard {} + >mutated
expect "into bytes: $(cat mutated)" test ! -s mutated
expect "from text" status_is 0 "$program" --from-text crash.txt -o crash.bytes
expect "to text again" status_is 0 "$program" --to-text crash.bytes -o again.txt
expect "texts are canonical" diff crash.txt again.txt

# Nothing is overwritten.
expect "an existing file stays" status_is 2 "$program" --to-text "$crash" -o again.txt
expect "the message says how to overwrite" grep -q 'again.txt: exists already; --force' out
expect "it is as it was" diff crash.txt again.txt
echo >again.txt
expect "--force overwrites" status_is 0 "$program" --to-text "$crash" -o again.txt --force
expect "with the text" diff crash.txt again.txt

# Minimising: a new file, the same signature, the same bytes every time; and never over another one.
signature() { grep '^Signature: ' "$1"; }
cp "$crash" original
expect "the input is minimised" status_is 0 "$program" --minimize "$crash"
cp out minimised
expect "the new file is named" test "$(tail -n 1 out)" = "$crash.min"
expect "the report is of the same failure" diff <(signature first) <(signature out)
expect "the input is as it was" cmp "$crash" original
expect "the new file replays" status_is 1 "$program" --replay "$crash.min"
expect "as the same failure" diff <(signature first) <(signature out)
expect "it is no larger" test "$(stat -c %s "$crash.min")" -le "$(stat -c %s "$crash")"
expect "the engine takes it" test "$("$program" "$crash.min" >log3 2>&1; echo $?)" -ne 0
expect "another time it would be overwritten" status_is 2 "$program" --minimize "$crash"
expect "and the message says what to do" grep -q 'exists already; --force overwrites it, -o names another file' out
expect "to a text" status_is 0 "$program" --minimize "$crash" -o minimal.txt
operations=$(grep '^thread' minimal.txt | grep -oE '[:;] [a-z]' | wc -l)
expect "two or three operations are enough, not $operations" test "$operations" -le 3
expect "it is one" grep -q '^jacquard scenario 2 rw_lock$' minimal.txt
expect "text to bytes" status_is 0 "$program" --from-text minimal.txt -o minimal
expect "the result is the same every time" cmp minimal "$crash.min"
expect "what is minimal stays" status_is 0 "$program" --minimize minimal.txt
expect "in every line" diff minimal.txt minimal.min.txt
expect "a small budget" status_is 0 "$program" --minimize "$crash" -o small --executions=3
expect "is reported" grep -q 'that was the budget' out

# A passing input passes, and the engine reads crash files as well.
printf 'jacquard scenario 2 rw_lock\nthread 0: read object=1\n' >pass.txt
expect "a passing input passes" status_is 0 "$program" --replay pass.txt
expect "with every step if asked" status_is 0 "$program" --replay pass.txt --all
expect "which shows the operation" grep -q 'read object=1' out
"$program" --replay pass.txt --json >json 2>/dev/null
expect "or as JSON, which says that it passes" python3 -c 'import json; assert json.load(open("json"))["verdict"]["kind"] == "pass"'
expect "there is nothing to minimise in it" status_is 2 "$program" --minimize pass.txt
expect "it says so" grep -q 'passes: there is nothing to minimise' out
expect "and writes nothing" test ! -e pass.min.txt
expect "the engine executes a crash file" test "$("$program" "$crash" >log2 2>&1; echo $?)" -ne 0
report log2 >fifth
expect "with the same report" diff first fifth

expect "JSON" status_is 1 "$program" --replay "$crash" --json

# The page for a browser: beside the report, with the same trace, and over no other file.
page_json() { sed -n 's|.*<script type="application/json" id="trace">\(.*\)</script>.*|\1|p' "$1"; }
"$program" --replay "$crash" --json >json 2>/dev/null
expect "is JSON" python3 -c 'import json; json.load(open("json"))'
expect "HTML" status_is 1 "$program" --replay "$crash" --html page.html
report out >sixth
expect "beside the same report" diff first sixth
expect "is a page" grep -q '^</html>' page.html
expect "with the same JSON" python3 -c 'import json, sys; sys.exit(json.loads(sys.argv[1]) != json.load(open("json")))' \
  "$(page_json page.html)"
cp page.html kept.html
expect "an existing page stays" status_is 2 "$program" --replay "$crash" --html page.html
expect "the message says how to overwrite" grep -q 'page.html: exists already; --force' out
expect "it is as it was" cmp page.html kept.html
echo >page.html
expect "--force overwrites it" status_is 1 "$program" --replay "$crash" --html=page.html --force
expect "with the page" cmp page.html kept.html
"$program" --replay "$crash" --html - >standard.html 2>/dev/null
expect "- is the standard output" cmp standard.html kept.html
expect "JSON and HTML" status_is 1 "$program" --replay "$crash" --json --html both.html
expect "both are written" cmp both.html kept.html
expect "a minimised failure" status_is 1 "$program" --replay "$crash.min" --html small.html
expect "has a page from --minimize" status_is 0 "$program" --minimize "$crash" -o again.min --html minimized.html
expect "with the same trace" diff <(page_json small.html | grep -o '"events".*"decisions"') \
  <(page_json minimized.html | grep -o '"events".*"decisions"')
refused() { # refused WHAT PATTERN ARGUMENT...
  local what=$1 pattern=$2
  shift 2
  expect "$what is refused" status_is 2 "$program" "$@"
  expect "it says why: $(cat out)" grep -q -e "$pattern" out
}
refused "a page without a folder" 'no/page.html: No such file' --replay "$crash" --html no/page.html
expect "before the work" test "$(grep -c '^Timeline' out)" -eq 0
refused "a result without a folder" 'no/minimal: No such file' --minimize "$crash" -o no/minimal
expect "before the work, too" test "$(grep -c '^Timeline' out)" -eq 0
refused "a folder" 'artifacts: is a folder' --replay "$crash" --html artifacts
refused "the input itself" "that is the input's file" --replay crash.txt --html crash.txt --force
refused "the result's file" "or the result's" --minimize crash.txt -o x.txt --html x.txt
expect "and nothing is written" test ! -e x.txt
refused "two on the standard output" 'both want the standard output' --replay "$crash" --json --html -
refused "a page of a fuzzing run" 'only with --replay or --minimize' --html=fuzz.html -runs=1
refused "a page of a conversion" 'only with --replay or --minimize' --to-text "$crash" --html x.html
expect "of what passes a page is written, too" status_is 0 "$program" --replay pass.txt --html pass.html
expect "it is a page" grep -q '^</html>' pass.html

((failures == 0)) && echo "all passed"
exit "$failures"
