#!/bin/bash
# Under Clang's source coverage simulated programs have no race on its counters, and the counts are of all executions.
#   source_coverage_test.sh FUZZ_TARGET CORPUS UNIT_TEST SECOND_FUZZ_TARGET ITS_CORPUS
set -u
. tests/fuzzers/expectations.sh
target=$(realpath "$1") corpus=$(realpath "$2") unit_test=$(realpath "$3") second=$(realpath "$4") second_corpus=$(realpath "$5")
header=$(realpath lock/address_space_inl.h)
cd "$TEST_TMPDIR" || exit 1

# most PROGRAM SOURCE: how often the line of SOURCE with the most executions was executed.
most() {
  llvm-profdata-19 merge -o data profile &&
    llvm-cov-19 export -format=lcov -instr-profile=data "$1" 2>err |
    awk -F '[:,]' -v source="$2" '/^SF:/ { inside = index($0, source) } inside && /^DA:/ && $3 > most { most = $3 } END { print most + 0 }'
}

export LLVM_PROFILE_FILE=profile
expect "a fuzz target over its seeds" status_is 0 "$target" -runs=0 "$corpus"
times=$(most "$target" lock/futex.cc)
expect "waits were counted, not $times" test "$times" -gt 10

rm profile
expect "a unit test" status_is 0 "$unit_test"
times=$(most "$unit_test" examples/unit_tests/spin_lock.h)
# The test's own process, and what the simulation puts back between two executions, would leave a few.
expect "all executions were counted, not $times" test "$times" -gt 100

# A counter whose place is chosen first, by a condition: that write has a hook.
rm profile
expect "another fuzz target" status_is 0 "$second" -runs=0 "$second_corpus"
line=$(grep -nB1 'const bool locked = vma->lock.StartReadLocked' "$header" | sed -n 's/^\([0-9]*\)-.*vma == nullptr.*/\1/p')
taken=$(llvm-profdata-19 merge -o data profile && llvm-cov-19 export -format=lcov -instr-profile=data "$second" 2>err |
  awk -F '[:,]' -v line="$line" '/^SF:/ { inside = index($0, "lock/address_space_inl.h") }
    inside && /^BRDA:/ && $2 == line && $4 == 0 && $5 > most { most = $5 } END { print most + 0 }')
expect "who found nothing under the lock was counted, not $taken in line $line" test "$taken" -gt 0

((failures == 0)) && echo "all passed"
exit "$failures"
