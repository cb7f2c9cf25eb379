#!/bin/bash
# corpus_source_test.sh FIRST=EXPECTED=ACTUAL...: the folder of a corpus whose first entry is FIRST.
set -u
failed=0
for line; do
  IFS='=' read -r first expected actual <<<"$line"
  [[ $actual == "$expected" ]] && continue
  echo "FAILED: $first lies in \"$expected\", not in \"$actual\""
  failed=1
done
exit $failed
