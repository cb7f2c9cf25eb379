#!/bin/bash
# A torture passes on the lock as it is, says how it goes and sums up; and each of its checks finds what it is for.
#   torture_test.sh RIGHT NO_WAIT NO_WAKE TWO_ORDERS MISBEHAVING plain|sanitized
# Under a sanitizer it may be the sanitizer that speaks first, so what is said is only looked at without.
set -u
right=$(realpath "$1") no_wait=$(realpath "$2") no_wake=$(realpath "$3") two_orders=$(realpath "$4") misbehaving=$(realpath "$5")
mode=$6
. tests/fuzzers/expectations.sh
cd "$TEST_TMPDIR" || exit 1

says() {  # PATTERN: in the output of the last command
  [[ $mode == sanitized ]] || grep -qE -- "$1" out
}

# ---- it passes, and says so

expect "the lock passes" status_is 0 "$right" --seconds 2.5 --threads 8 --stutter 0.5 --churn --json summary.json
expect "a line a second" test "$(grep -cE '^[12] s: [0-9.]+[kM]? operations/s, 0 errors; read [0-9.]+[kM]?/s, longest ' out)" = 2
expect "the sum" grep -qE '^vma_lock_torture: [0-9]+ operations in [23]\.[0-9] s \([0-9.]+[kM]?/s\), 8 threads, [0-9]+ rounds; passed$' out
expect "JSON" python3 -c '
import json
summary = json.load(open("summary.json"))
assert summary["jacquard_stress"] == 1 and summary["passed"] and summary["errors"] == 0 and not summary["interrupted"]
assert summary["threads"] == 8 and summary["rounds"] >= 1 and summary["pauses"] >= 1
kinds = {kind["name"]: kind for kind in summary["kinds"]}
for name in ["read", "write", "write_killable", "replace", "downgrade", "speculate", "hold_read", "hold_write"]:
    kind = kinds[name]
    assert kind["calls"] == sum(kind["results"].values()) > 0 and kind["longest_seconds"] > 0, name
assert summary["operations"] == sum(kind["calls"] for kind in kinds.values())
'
expect "JSON alone" status_is 0 "$right" --seconds 0.3 --quiet --json -
expect "is all there is" python3 -c 'import json; json.load(open("out"))'
expect "weights" status_is 0 "$right" --seconds 0.3 --threads 2 --pin --weights \
  "read=10,hold_read=0,read_mm=0,try_read_mm=0,speculate=0,write_all=0,hold_write=0,write_killable=0,try_write=0,downgrade=0,replace=0,kill=0"
expect "nothing else is done" test "$(awk '$2 > 0 && $1 != "operation" && $1 !~ /:$/ {print $1}' out | tr '\n' ' ')" = "read write "
expect "with the validator" status_is 0 "$right" --seconds 1 --threads 4 --validator on

# Ctrl-C, which a terminal sends to all processes of the job.
setsid "$right" --seconds 60 --threads 4 >out 2>&1 &
sleep 1.5
kill -INT -- -$!
wait $!
expect "an interrupted run has passed" test $? = 0
expect "and sums up" grep -qE '^vma_lock_torture: [0-9]+ operations in [0-9.]+ s .*; passed$' out

# ---- what must be found

# Without VMAs that go: the lock itself may notice a reader whose VMA was detached, and ends the process.
expect "a writer that does not wait" status_is 1 "$no_wait" --seconds 20 --threads 8 --weights replace=0
expect "breaks what it guards" says '^violated: (data changes under a reader|a record is not whole|a write section|somebody refers).* \(on thread [0-9]+\)$'
expect "and is counted" says '1 error$'
expect "who holds what" says '^  thread [0-9]: (in [a-z_]+ since [0-9.e-]+ s|between two operations|ends since .*); holds (nothing|vma[0-3]|mm)'
expect "a writer that is not woken" status_is 1 "$no_wake" --seconds 60 --threads 8 --time-limit 1
expect "has not come back" says '^thread [0-9]+ has not come back for 1 s$'
expect "and waits for readers" says '; holds mm for writing, waits for the readers of vma[0-3]$'
expect "two orders of locks" status_is 1 "$two_orders" --seconds 20 --threads 1 --validator on
expect "are what the validator knows" says '^violated: lock validator: possible circular locking dependency detected'
# ThreadSanitizer knows orders of locks as well.
[[ $mode == sanitized ]] || expect "and only the validator" status_is 0 "$two_orders" --seconds 0.3 --threads 1 --validator off
expect "a process that dies" status_is 1 "$misbehaving" --seconds 1 --threads 1 --keep-going --weights \
  "behave=50,fail_check=0,wait_for_ever=0,fail_at_the_end=0,fail_after_operation=0,compute_for_ever=0"
expect "is an error" says '^the process was ended by signal 6$'
expect "and its operations are counted" grep -qE '^behave +[1-9][0-9]* ' out
expect "others come after it" grep -qE '; [0-9]+ errors$' out

# ---- what makes no sense

expect "no such operation" status_is 2 "$right" --seconds 1 --weights bogus=1
expect "is named, with all there are" grep -q 'no operation "bogus"; there are read ' out
expect "no number" status_is 2 "$right" --seconds 1 --weights read=often
expect "nothing to do" status_is 2 "$two_orders" --seconds 1 --weights one_then_other=0,other_then_one=0
expect "no validator" status_is 2 "$misbehaving" --seconds 1 --validator on
expect "too many threads" status_is 2 "$right" --seconds 1 --threads 17
expect "a flag of the torture alone" status_is 2 "$right" --churn
expect "and says what it needs" grep -q -- '--churn needs --seconds' out
expect "a summary that cannot be written" status_is 2 "$right" --seconds 0.2 --quiet --json nowhere/summary.json

((failures == 0)) && echo "all passed"
exit "$failures"
