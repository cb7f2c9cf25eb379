#!/bin/bash
# The launcher's --report: what runs have reached and found, as a page and as Markdown.
#   report_test.sh LAUNCHER REPORTER PROGRAM SEEDS BROKEN_PROGRAM
set -u
. tests/fuzzers/expectations.sh
launcher=$(realpath "$1") reporter=$(realpath "$2") program=$(realpath "$3") seeds=$(realpath "$4") broken=$(realpath "$5")
unset BUILD_WORKSPACE_DIRECTORY BUILD_WORKING_DIRECTORY
cd "$TEST_TMPDIR" || exit 1
export USER=tester

launch() {
  local target=$1
  shift
  "$launcher" --label=//some:target "--binary_path=$target" "--seed_corpus=$seeds" "--reporter=$reporter" "$@"
}
# Sets `html` and `md`, or the test fails.
report() {
  expect "--report of $2 ends well" status_is 0 launch "$1" "--fuzzing_output_root=$2" --report
  expect "it names what it has written" diff out <(printf '%s/campaign.html\n%s/campaign.md\n' "$PWD/$2" "$PWD/$2")
  html=$2/campaign.html md=$2/campaign.md
}

expect "a folder that nothing was fuzzed into" status_is 2 launch "$program" --fuzzing_output_root=nothing --report
expect "says so" grep -q 'nothing has been fuzzed into .*nothing yet' out

# Two runs without a bug.
for seed in 1 2; do
  expect "run $seed" status_is 0 launch "$program" --fuzzing_output_root=good --executions 3000 "-seed=$seed"
done
echo '{"began":1,"seco' >>good/progress.jsonl # a run that was killed as it wrote
report "$program" good
expect "no bug" grep -q '^| bugs | 0 |$' "$md"
expect "two runs" grep -q '^| runs | 2, the first at ' "$md"
expect "their executions" grep -qE '^\| executions \| [67],[0-9]{3}' "$md"
expect "inputs" grep -qE '^\| inputs \| [0-9]+ in the corpus and the seeds \|$' "$md"
expect "no timelines" test ! -e good/timelines
expect "the slowest inputs" grep -q '^| input | steps | microseconds |$' "$md"
expect "a curve of executions" grep -q '<polyline points="[0-9., ]*"/>' "$html"
expect "nothing from the network" test -z "$(grep -oE '(src|href)="(https?:)?//' "$html")"

# A campaign that goes on after bugs.
mkdir -p bad
launch "$broken" --fuzzing_output_root=bad --jobs 1 -runs=20000 -ignore_crashes=1 -seed=1 >log 2>&1
expect "crashes are there" test -n "$(ls -A bad/artifacts)"
report "$broken" bad
bugs=$(grep -c 'reproduces 10 of 10$' "$md")
expect "at least one bug" test "$bugs" -ge 1
expect "their number" grep -q "^| bugs | $bugs |$" "$md"
expect "each with a timeline" test "$(find bad/timelines -name '*.html' | wc -l)" -eq "$bugs"
for page in $(grep -oE 'href="timelines/[^"]*"' "$html" | sed 's/href="//; s/"$//'); do
  expect "the page leads to $page" grep -q '</html>' "bad/$page"
done
expect "as many links" test "$(grep -oE 'href="timelines/' "$html" | wc -l)" -eq "$bugs"
expect "states have names" grep -q 'mmap lock written' "$html"
expect "pairs that are missing" grep -q '<td class="never">never</td>' "$html"
expect "and their list" grep -qE '^\* [a-z_]+: [A-Z]' "$md"
cp "$md" first.md
report "$broken" bad
expect "again, the bugs are the same" diff <(grep 'reproduces' first.md) <(grep 'reproduces' "$md")

# One that stops at its first bug.
expect "a bug" status_is 77 launch "$broken" --fuzzing_output_root=one -seed=1
report "$broken" one
expect "in one file" grep -q ': 1 file, first ' "$md"

# A report that cannot be written leaves the one before, and nothing else.
sums=$(cd good && sha256sum campaign.*)
said=$(trap '' XFSZ && ulimit -f 0 && launch "$program" --fuzzing_output_root=good --report 2>&1)
expect "without room the status is 2" test $? -eq 2
expect "and it says why, not $said" grep -qx "campaign_report: $PWD/good/campaign.html: File too large (is the folder read-only, or the disk full?)" <<<"$said"
expect "the report before is still there" test "$(cd good && sha256sum campaign.*)" = "$sums"

# What it is made of.
expect "a survey" status_is 0 "$program" --survey "$seeds"
expect "of every seed" test "$(grep -c '"path"' out)" -eq "$(find -L "$seeds/" -type f | wc -l)"
expect "--survey wants files" status_is 2 "$program" --survey
expect "and says so" grep -q -- '--survey: which files or folders' out
expect "a folder that is not there" status_is 2 "$program" --survey "$seeds" missing
expect "is named" grep -q 'missing: No such file' out
expect "files mean nothing to --replay" status_is 2 "$program" --replay "$seeds" other
expect "and are named" grep -q 'other: only --seed-corpus and --survey take files' out

((failures == 0)) && echo "all passed"
exit "$failures"
