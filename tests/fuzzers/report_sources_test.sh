#!/bin/bash
# The launcher's --report with a program that has source coverage: which lines and branches of the code under test are reached.
#   report_sources_test.sh LAUNCHER REPORTER PROGRAM SEEDS COVERED_PROGRAM
set -u
. tests/fuzzers/expectations.sh
launcher=$(realpath "$1") reporter=$(realpath "$2") program=$(realpath "$3") seeds=$(realpath "$4") covered=$(realpath "$5")
workspace=$PWD
unset BUILD_WORKSPACE_DIRECTORY BUILD_WORKING_DIRECTORY
cd "$TEST_TMPDIR" || exit 1
export USER=tester

launch() {
  "$launcher" --label=//some:target "--binary_path=$program" "--seed_corpus=$seeds" "--reporter=$reporter" \
    --fuzzing_output_root=found "$@"
}

expect "a run" status_is 0 launch --executions 2000 -seed=1
expect "in which nothing counted" test ! -e default.profraw
expect "a report without" status_is 0 launch --report
expect "says how to get it" grep -q 'Not measured: <code>bazel run //some:target_report</code>' found/campaign.html
expect "and nothing else of it" test -z "$(grep -i 'source coverage' found/campaign.md)"

export BUILD_WORKSPACE_DIRECTORY=$workspace
expect "a report with" status_is 0 launch --report "--covered_path=$covered"
md=found/campaign.md html=found/campaign.html
expect "the whole" grep -qE '^\| source coverage \| [1-9][0-9.]* % of the lines, [1-9][0-9.]* % of the directions of branches \|$' "$md"
expect "a header of the lock" grep -qE '^\| lock/vma_lock\.h \| (100|[6-9][0-9])\.[0-9] % \| [0-9.]+ % \| ([0-9]+(-[0-9]+)?(, )?)* \|$' "$md"
expect "a source of the lock" grep -qE '^\| lock/rw_semaphore\.cc \| [1-9]' "$md"
expect "nothing of what runs it" test -z "$(grep -E '^\| (/|fuzzers/|sim/|external/|stress/|jacquard/)' "$md")"
expect "the page has the same files" diff <(grep -oE '<td>lock/[a-z_./]*' "$html" | sed 's/<td>//') \
  <(grep -oE '^\| lock/[a-z_./]*' "$md" | sed 's/| //')
expect "the page leads to the sources" grep -q 'href="source_coverage/index.html"' "$html"
expect "which are there" grep -rql 'StartRead' found/source_coverage --include='vma_lock.h.html'
expect "from the workspace's root" grep -q 'vma_lock.h' found/source_coverage/index.html
expect "no profile is left behind" diff /dev/null <(find . -name '*.profraw')

((failures == 0)) && echo "all passed"
exit "$failures"
