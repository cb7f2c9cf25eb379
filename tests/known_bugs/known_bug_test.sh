#!/bin/bash
# known_bug_test.sh PATCHED ORIGINAL INPUT TEXT [FOUND]: the two fuzz targets, a stored input, what is written about the bug,
# and an input that is not minimal.
set -u
patched=$(realpath "$1")
original=$(realpath "$2")
input=$(realpath "$3")
text=$(realpath "$4")
failed=0

fail() {
  echo "FAILED: $*"
  failed=1
}

verdict=$(sed -n 's/^# verdict: //p' "$input")
[[ -n $verdict ]] || fail "$input has no comment '# verdict: SIGNATURE'"

report=$("$patched" --replay "$input" 2>&1)
status=$?
[[ $status -eq 1 ]] || fail "the patched lock ends with $status, not 1"
grep -qxF "Signature: $verdict" <<<"$report" || fail "not the verdict $verdict"

# A few words of what is to be found in bug.md.
for section in What When 'Found by' Oracle 'Context switches'; do
  grep -q "^$section: ." "$text" || fail "$text does not say \"$section: \""
done
expected=$(sed -n 's/^Context switches: //p' "$text")
switches=$(sed -nE 's/^Timeline: .*, ([0-9]+) context switch(es)? .*/\1/p' <<<"$report")
limit=$(sed -nE 's/^Stored input: ([0-9]+) context switches, not yet .*/\1/p' "$text")
[[ $switches -le ${limit:-$((expected + 2))} ]] || fail "$switches context switches, and the interleaving has $expected"

# minimise FILE: writes $TEST_TMPDIR/smaller.txt.
minimise() {
  "$patched" --minimize "$1" -o "$TEST_TMPDIR/smaller" --force >"$TEST_TMPDIR/log" 2>&1 || fail "cannot be minimised: $(<"$TEST_TMPDIR/log")"
  "$patched" --to-text "$TEST_TMPDIR/smaller" -o "$TEST_TMPDIR/smaller.txt" --force || fail "no text"
}

# It is minimal: what the minimiser makes of it is not shorter.
minimise "$input"
diff <(grep -v '^#' "$input") <(grep -v '^#' "$TEST_TMPDIR/smaller.txt") || fail "there is a smaller one"

# size FILE: how many threads, and how many operations.
size() {
  sed -n 's/^thread [0-9]*://p' "$1" | awk -F';' '{ n += NF } END { print NR, n }'
}
if [[ $# -gt 4 ]]; then
  minimise "$(realpath "$5")"
  [[ $(size "$TEST_TMPDIR/smaller.txt") == "$(size "$input")" ]] || fail "not made as small: $(<"$TEST_TMPDIR/smaller.txt")"
fi

"$original" --replay "$input" >"$TEST_TMPDIR/log" 2>&1 || fail "the lock as it is fails: $(<"$TEST_TMPDIR/log")"

[[ $failed -eq 0 ]] || echo "$report"
exit $failed
