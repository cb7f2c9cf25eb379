#!/bin/bash
# The token that a failing test prints replays that execution in a new process: the same report again, and nothing else is
# executed. What is no token is refused, and one of another build is tried with a warning.
set -u
program=$(realpath "$1")
other_build=$(realpath "$2")
status=0

fail() {
  echo "FAILED: $1"
  status=1
}

# From the first line of the report to the signature.
report_of() { sed -n '/^expectation: /,/^Signature: /p'; }

unset TEST_TARGET TESTBRIDGE_TEST_ONLY XML_OUTPUT_FILE
found=$("$program" --gtest_filter='Program.*' 2>&1) && fail "the bug is not found"
token=$(grep -o 'JACQUARD_REPLAY=J1[A-Za-z0-9_-]*' <<<"$found" | head -1 | cut -d= -f2)
[ -n "$token" ] || fail "no token in: $found"
grep -q -- "--gtest_filter=Program.LosesAnUpdate" <<<"$found" || fail "the command does not name the test"

again=$(cd / && FILLER=$(printf 'x%.0s' {1..3000}) JACQUARD_REPLAY=$token "$program" 2>&1) && fail "the bug is not replayed"
[ "$(report_of <<<"$found")" = "$(report_of <<<"$again")" ] || fail "another report: $again"
grep -q "^1 executions" <<<"$again" || fail "not one execution: $again"
grep -q "token is of another body" <<<"$again" || fail "the other test does not say that it does nothing"
grep -q "another build" <<<"$again" && fail "it is the same build"

# Explorations of one type differ by their test, and by their number in it, which begins anew when the test is repeated.
tokens_of() { grep -o 'JACQUARD_REPLAY=J1[A-Za-z0-9_-]*' | cut -d= -f2; }
adders=$("$program" --gtest_filter='*Adders*' --gtest_repeat=2 2>&1 | tokens_of)
[ "$(wc -l <<<"$adders")" -eq 8 ] || fail "not eight tokens: $adders"
[ "$(head -4 <<<"$adders")" = "$(tail -4 <<<"$adders")" ] || fail "other tokens when the tests are repeated: $adders"
for token_of_adders in $(head -4 <<<"$adders"); do
  one=$(JACQUARD_REPLAY=$token_of_adders "$program" 2>&1) && fail "the bug of one of four is not replayed"
  [ "$(tokens_of <<<"$one")" = "$token_of_adders" ] || fail "not just the exploration of $token_of_adders: $one"
done

damaged=$(JACQUARD_REPLAY=${token%?} "$program" 2>&1) && fail "a damaged token passes"
grep -q "replay token cannot be read" <<<"$damaged" || fail "a damaged token is not refused: $damaged"

nothing=$(JACQUARD_REPLAY=$token "$program" --gtest_filter='None.*' 2>&1) && fail "a replay of nothing passes"
grep -q "nothing has been replayed" <<<"$nothing" || fail "nor does it say why: $nothing"

other=$(JACQUARD_REPLAY=$token "$other_build" 2>&1)
grep -q "another build" <<<"$other" || fail "no warning of another build: $other"
exit $status
