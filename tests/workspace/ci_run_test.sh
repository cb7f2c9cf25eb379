#!/bin/bash
# Tests .ci/run in a checkout of its own: its bazelw prints what Bazel would and writes the test.xml files. What counts is
# the last line and the exit code.
set -u

checkout=$TEST_TMPDIR/checkout
mkdir -p "$checkout/.ci" "$checkout/tools"
cp -L .ci/run "$checkout/.ci/"
cp -L tools/count_tests.py "$checkout/tools/"
failures=0

cat >"$checkout/tools/check_incompatible_targets" <<'END'
#!/bin/bash
cd "$(dirname "$0")/.." && ! grep -qx "$1" differing
END

# Runs the function that the test defines for the configuration; `called` collects the arguments.
cat >"$checkout/bazelw" <<'END'
#!/bin/bash
cd "$(dirname "$0")" || exit 9
echo "$*" >>called
read -r && echo 'standard input is not empty' >>called
xml() { mkdir -p "bazel-testlogs/$1"; cat >"bazel-testlogs/$1/test.xml"; }
good_xml() { rm -rf "bazel-testlogs/$1"; xml "$1" <<<'<testsuites><testsuite><testcase name="a" status="run"/></testsuite></testsuites>'; }
configuration=plain
[[ $2 != --config=* ]] || configuration=${2#--config=}
[[ $1 != query ]] || configuration=untested
[[ $1 != build ]] || configuration=rest
[[ $* != *--nobuild* ]] || configuration=figures
. ./behaviour
$configuration
END
chmod +x "$checkout/bazelw" "$checkout/tools/check_incompatible_targets"

# One passing case in each configuration; `behaviour` on the standard input overrides that.
start() {
  test_name=$1
  rm -rf "$checkout/bazel-testlogs" "$checkout/called"
  echo nothing >"$checkout/differing"
  {
    for configuration in plain asan tsan ubsan; do
      echo "$configuration() { good_xml lock/a_test; echo '//lock:a_test        PASSED in 0.1s'; }"
    done
    echo "untested() { printf '%s\\n' //tools:one //tools:two; }"
    echo 'rest() { :; }'
    echo 'figures() { :; }'
    cat
  } >"$checkout/behaviour"
}

# expect STATUS LAST-LINE
expect() {
  local output status last
  output=$(cd / && echo unwanted | "$checkout/.ci/run" 2>&1)
  status=$?
  last=$(tail -n 1 <<<"$output")
  [[ $status == "$1" && $last == "$2" ]] && return
  printf 'FAILED: %s: status %s, not %s; expected at the end "%s":\n%s\n' "$test_name" "$status" "$1" "$2" "$output"
  failures=$((failures + 1))
}

start all_pass </dev/null
expect 0 '4 passed, 0 failed'
diff "$checkout/called" - <<END || { echo 'FAILED: other commands'; failures=1; }
test //...
test --config=asan //...
test --config=tsan //...
test --config=ubsan -- //... -//tests/controls/... -//tests/ghost_rules/... -//tests/known_bugs/... \
-//tests/memory_rules/... -//tests/planted_bugs/... -//tests/weakened_orders/...
query --noshow_progress --ui_event_filters=-info //... except deps(tests(//...)) \
except attr(tags, "\\bmanual\\b", //...)
build --keep_going //tools:one //tools:two
build --nobuild //tools:figures
END

start cases_are_counted <<'END'
plain() {
  xml lock/word_test <<<'<testsuites tests="4"><testsuite>
    <testcase name="a" status="run" result="completed"/><testcase name="b" status="run" result="completed"/>
    <testcase name="c" status="notrun" result="suppressed"/><testcase name="d" status="run" result="skipped"/>
    </testsuite></testsuites>'
  xml lock/wait_test <<<'<testsuites><testsuite><testcase name="a" status="run"/>
    <testcase name="b" status="run"><failure message="x"/></testcase></testsuite></testsuites>'
  echo '//lock:word_test  (cached) PASSED in 0.1s'
  echo '//lock:wait_test           FAILED in 0.1s'
  echo '  somewhere/testlogs/lock/wait_test/test.log'
  return 3
}
END
expect 1 '6 passed, 1 failed'

start shards_are_added_up <<'END'
plain() {
  good_xml lock/a_test/shard_1_of_2
  good_xml lock/a_test/shard_2_of_2
  [[ ! -e bazel-testlogs/lock/a_test/test.xml ]] || exit 9
  echo '//lock:a_test   PASSED in 0.1s'
}
END
expect 0 '5 passed, 0 failed'

start crash_counts_although_no_case_failed <<'END'
tsan() { good_xml lock/a_test; echo '//lock:a_test     FAILED in 0.1s'; return 3; }
END
expect 1 '4 passed, 1 failed'

start timeout_counts <<'END'
tsan() { xml lock/a_test <<<'not XML'; echo '//lock:a_test     TIMEOUT in 60.1s'; return 3; }
END
expect 1 '3 passed, 1 failed'

start build_failure_counts_and_the_rest_runs <<'END'
plain() { echo 'ERROR: lock/a.cc:1: error'; echo '//lock:a_test      FAILED TO BUILD'; return 1; }
END
expect 1 '3 passed, 1 failed'

start results_of_an_earlier_run_do_not_count <<'END'
asan() { echo '//lock:a_test      NO STATUS'; return 1; }
END
expect 1 '3 passed, 2 failed'

start build_failure_of_no_test_counts <<'END'
plain() { good_xml lock/a_test; echo '//lock:a_test     PASSED in 0.1s'; return 1; }
END
expect 1 '4 passed, 1 failed'

start a_run_without_tests_fails <<'END'
ubsan() { echo 'ERROR: No test targets were found, yet testing was requested'; return 4; }
END
expect 1 '3 passed, 1 failed'

start targets_left_out_do_not_count <<'END'
ubsan() { good_xml lock/a_test; echo '//lock:b_test     SKIPPED'; echo '//lock:a_test   PASSED in 0.1s'; }
END
expect 0 '4 passed, 0 failed'

start only_targets_left_out_is_nothing <<'END'
ubsan() { echo '//lock:b_test     SKIPPED'; }
END
expect 1 '3 passed, 1 failed'

start what_no_test_needs_counts <<'END'
rest() { echo 'ERROR: tools/one.cc:1: error'; return 1; }
END
expect 1 '4 passed, 1 failed'

start an_unanswered_question_counts <<'END'
untested() { echo 'ERROR: no such package' >&2; return 7; }
END
expect 1 '4 passed, 1 failed'

start figures_that_cannot_be_built_count <<'END'
figures() { echo 'ERROR: sim/a.cc:1: error'; return 1; }
END
expect 1 '4 passed, 1 failed'

start bazelw_gives_up <<'END'
plain() { return 36; }
asan() { return 36; }
tsan() { return 36; }
ubsan() { return 36; }
figures() { return 36; }
END
expect 1 '0 passed, 5 failed'

start list_of_incompatible_targets_differs </dev/null
echo tsan >"$checkout/differing"
expect 1 '4 passed, 1 failed'

((failures == 0))
