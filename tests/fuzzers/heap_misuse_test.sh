#!/bin/bash
# What the report of a heap error says: the verdict, the access, and where the block was allocated and freed, with
# functions and lines.
#   heap_misuse_test.sh PROGRAM
set -u
program=$(realpath "$1")
cd "$TEST_TMPDIR" || exit 1
failures=0

fail() {
  echo "FAILED: $*"
  cat log
  failures=$((failures + 1))
}

# NAME STATUS: replays NAME.txt, made of the lines of the standard input.
replay() {
  local name=$1 expected=$2 status
  { echo 'jacquard scenario 2 heap_misuse'; cat; } >"$name.txt"
  "$program" --replay "$name.txt" >log 2>&1
  status=$?
  ((status == expected)) || fail "$name: status $status"
}
says() { grep -qE -- "$1" log || fail "the report does not say \"$1\""; }
# HEAD FUNCTION: within the lines that follow HEAD, up to the next one of its kind, FUNCTION stands with its line.
frame() {
  sed -n "/^$1/,/^[^ ]/{/^ /p}" log | grep -qE "$2.* tests/fuzzers/heap_misuse_fuzz_test\\.cc:[0-9]+" ||
    fail "no frame of $2 after \"$1\""
}

replay pass 0 <<<'thread 0: publish; read; retire; read; behave; rely_on_memory'
replay publish 0 <<<'thread 0: publish; publish'

# The first pick is of the allocation, the next ones of the schedule.
found=
for gap in $(seq 0 12); do
  { echo 'jacquard scenario 2 heap_misuse'; echo 'thread 0: publish; read'; echo 'thread 1: retire'
    echo "schedule: +$gap:0"; } >uaf.txt
  "$program" --replay uaf.txt >log 2>&1 || { grep -q '^heap error' log && found=1 && break; }
done
[[ -n $found ]] || fail "no schedule leads to the use after free"
says '^heap error: use after free: reads 8 bytes from byte 8 on of a block of 16 bytes that thread 0 allocated with new and thread 1 freed$'
says '^Signature: heap error\|use after free\|read\|retire$'
says 'in operation read'
frame 'Where: ' 'ReadNode'
frame 'Freed by thread 1, after step [0-9]*:' 'DropNode'
frame 'Freed by thread 1, after step [0-9]*:' 'Retire'
frame 'Allocated by thread 0, after step [0-9]*:' 'MakeNode'
frame 'Allocated by thread 0, after step [0-9]*:' 'Publish'
cp log first
"$program" --replay uaf.txt >log 2>&1
diff first log || fail "replay prints something else"
"$program" --replay uaf.txt --json >log
python3 - log <<'PYTHON' || fail "JSON lacks the places"
import json, sys
document = json.load(open(sys.argv[1]))
what = [place["what"] for place in document["places"]]
assert what == ["freed", "allocated"], what
for place in document["places"]:
    assert place["pc"] in document["frames"] and place["stack"], place
PYTHON

replay twice 1 <<<'thread 0: behave; free_twice'
says '^heap error: double free: operator delete of a block of 16 bytes'
says '^Signature: heap error\|double free\|free_twice$'
frame 'Where: ' 'FreeTwice'
frame 'Freed by thread 0' 'FreeTwice'

replay overflow 1 <<<'thread 0: behave; overflow'
says '^heap error: heap overflow: reads 8 bytes, beginning 8 bytes behind the end of a block of 16 bytes'
frame 'Allocated by thread 0' 'Overflow'

replay lose 1 <<<'thread 0: behave; lose'
says '^leak: memory leak: a block of 16 bytes that thread 0 allocated with new was never freed'
says '^Signature: leak\|memory leak\|lose$'
frame 'Allocated by thread 0' 'MakeNode'
frame 'Allocated by thread 0' 'Lose'

# That an allocation fails is a decision like any other.
replay memory 0 <<<'thread 0: rely_on_memory'
replay no_memory 1 <<<$'thread 0: rely_on_memory\nschedule: +0:0'
says '^invariant: there is always memory'
says 'an allocation of thread 0 fails'
"$program" --from-text no_memory.txt -o no_memory.bytes &&
  "$program" --to-text no_memory.bytes -o again.txt && diff no_memory.txt again.txt ||
  fail "the text form is not kept"

((failures == 0)) && echo "all passed"
exit "$failures"
