#!/bin/bash
# external_test.sh BAZEL-FILES...: examples/external, copied to a folder elsewhere, finds this checkout, builds with the
# installed Bazel and tests its lock. The right one passes; the broken one fails with a report that names its lines.
# It has an output folder of its own and downloads nothing. Building the runtime there takes one or two minutes.
set -u
readonly WORKSPACE=$TEST_TMPDIR/workspace
readonly OUTPUT=$TEST_TMPDIR/bazel
checkout=$(dirname "$(readlink -f deps.bzl)")
failures=0

fail() {
  echo "FAILED: $1"
  failures=$((failures + 1))
}

# Bazel wants to know who calls it.
export USER=${USER:-user} HOME=${HOME:-$TEST_TMPDIR}
unset TEST_TARGET TESTBRIDGE_TEST_ONLY XML_OUTPUT_FILE TEST_SHARD_INDEX TEST_TOTAL_SHARDS

# Bazel keeps what it is given read-only, and its server runs on.
external_bazel() {
  (cd "$WORKSPACE" && bazel --nohome_rc --output_user_root="$OUTPUT" --max_idle_secs=60 "$@" 2>&1 </dev/null)
}
clean_up() {
  external_bazel shutdown
  chmod -R u+w "$OUTPUT"
  rm -rf "$OUTPUT"
}
trap clean_up EXIT

cp -RL "$checkout/examples/external" "$WORKSPACE" || exit 1
sed -i "s#path = \"../..\"#path = \"$checkout\"#" "$WORKSPACE/WORKSPACE"
grep -qF "path = \"$checkout\"" "$WORKSPACE/WORKSPACE" || fail "WORKSPACE does not name the checkout: $(cat "$WORKSPACE/WORKSPACE")"

# Reports of tests that fail are printed because the workspace's .bazelrc says so.
readonly OPTIONS=(--jobs=2 --spawn_strategy=local --color=no --curses=no --noshow_progress)

output=$(external_bazel test "${OPTIONS[@]}" //...) || fail "the right lock does not pass: $output"
grep -q '^//:spin_lock_test .* PASSED' <<<"$output" || fail "no test of the right lock: $output"

grep -q '^//:spin_lock_fuzz_test .* PASSED' <<<"$output" || fail "no regression test of the fuzz target: $output"

output=$(external_bazel test "${OPTIONS[@]}" //:broken_spin_lock_test) && fail "the broken lock passes: $output"
grep -q '^//:broken_spin_lock_test .* FAILED' <<<"$output" || fail "no test of the broken lock: $output"
grep -q '^Signature: race|' <<<"$output" || fail "no data race: $output"
grep -q 'spin_lock_test.cc:[0-9]' <<<"$output" || fail "no line of the test: $output"
replay=$(sed -n 's/^Replay: *bazel //p' <<<"$output")
[[ $replay == 'test //:broken_spin_lock_test '* ]] || fail "no command to replay it: $output"

# The command that the report prints, as somebody would type it.
# shellcheck disable=SC2086
again=$(external_bazel ${replay/test/test --spawn_strategy=local}) && fail "the bug is not replayed: $again"
grep -q '^1 executions' <<<"$again" || fail "not one execution: $again"

# A program in the same workspace.
output=$(JACQUARD_OPTIONS=executions=1000 "$WORKSPACE/bazel-bin/counter" 2>&1) || fail "the program fails: $output"

# The fuzz target there.
output=$(external_bazel run "${OPTIONS[@]}" //:spin_lock_fuzz_test_run -- --executions 1000 \
  --fuzzing_output_root "$TEST_TMPDIR/fuzzed") || fail "the fuzz target fails: $output"
grep -q '^Done 1000 runs' <<<"$output" || fail "not a thousand executions: $output"

((failures == 0))
