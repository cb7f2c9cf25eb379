#!/bin/bash
# gdb_test.sh JACQUARD.PY PROGRAM: a program stopped by gdb shows its simulated threads, and goes on as if nothing had been.
# Without gdb, or where gdb may not trace, this is skipped, and says so.
set -u
script=$(realpath "$1")
program=$(realpath "$2")
failures=0

if ! command -v gdb >/dev/null; then
  echo "SKIPPED: gdb is not installed"
  exit 0
fi
# In a container ptrace may be forbidden.
if ! gdb -q -nx -batch -ex 'break main' -ex run -ex 'print 6 * 7' -ex kill --args "$program" 2>&1 </dev/null | grep -q '= 42'; then
  echo "SKIPPED: gdb cannot run"
  exit 0
fi
if ! gdb -q -nx -batch -ex 'python print(6 * 7)' 2>&1 </dev/null | grep -qx 42; then
  echo "SKIPPED: gdb has no Python"
  exit 0
fi

unset TEST_TARGET TESTBRIDGE_TEST_ONLY XML_OUTPUT_FILE

# run COMMAND...: in gdb; sets `output`.
run() {
  local command arguments=()
  for command; do arguments+=(-ex "$command"); done
  output=$(gdb -q -nx -batch -ex 'set width 0' -x "$script" "${arguments[@]}" --args "$program" 2>&1 </dev/null)
}

fail() {
  echo "FAILED: $1; gdb's output:"
  echo "$output"
  failures=$((failures + 1))
}

expect() { grep -Eq -- "$1" <<<"$output" || fail "no line matches $1"; }
expect_not() { ! grep -Eq -- "$1" <<<"$output" || fail "a line matches $1"; }

# The lines about one thread.
thread() { sed -n "/^Simulated thread $1: /,/^\$/p" <<<"$output"; }

# Everybody else waits when thread 3 comes to Landmark.
run 'break Landmark' run 'jacquard threads' delete continue
for number in 0 1 2 3; do expect "^Simulated thread $number: "; done
expect '^Simulated thread 3: running'
thread 3 | grep -q '^#0 .*Landmark' || fail "thread 3 is not in Landmark"
thread 1 | grep -q 'WaitsForTheCondition' || fail "thread 1 has no backtrace"
thread 2 | grep -q 'WaitsForTheMutex' || fail "thread 2 has no backtrace"
thread 0 | grep -q 'Threads_Wait_Test' || fail "thread 0 has no backtrace"
expect '^Simulated thread 0: waits for thread 1 to end'
expect '^Simulated thread 1: waits for a condition variable at 0x[0-9a-f]+ \(.*condition'
expect '^Simulated thread 2: waits for a mutex at 0x[0-9a-f]+ \(.*other_mutex'
expect '\[  PASSED  \] 1 test'

# A command in one thread, or in all, and the registers after it.
run 'break Landmark' run 'print $sp' 'jacquard apply 2 backtrace' 'print $sp' 'jacquard apply all print $sp'
thread 2 | grep -q 'WaitsForTheMutex' || fail "no backtrace of thread 2 alone"
expect_not 'WaitsForTheCondition'
[ "$(grep -c '^\$[0-9]* = (void \*) 0x' <<<"$output")" = 6 ] || fail "not six stack pointers"
[ "$(sed -n 's/^\$[12] = //p' <<<"$output" | uniq | wc -l)" = 1 ] || fail "the stack pointer is another one afterwards"
[ "$(sed -n 's/^\$[3456] = //p' <<<"$output" | sort -u | wc -l)" = 4 ] || fail "four threads do not have four stacks"

# What cannot be.
run 'break main' run 'jacquard threads'
expect 'no execution is going on'
run 'break Landmark' run 'jacquard apply 7 backtrace'
expect 'no simulated thread 7'

((failures == 0))
