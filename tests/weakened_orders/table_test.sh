#!/bin/bash
# The table in docs/memory_orders.md says of each patch what its test expects.
#   table_test.sh TABLE NAME=OUTCOME...
set -u
table=$1
shift
failures=0
for row in "$@"; do
  name=${row%=*} outcome=${row#*=}
  grep -qE "^\| $name \|.*\| ${outcome//_/ } \|" "$table" && continue
  echo "FAILED: $table has no row that says \"${outcome//_/ }\" of $name"
  failures=$((failures + 1))
done
rows=$(grep -cE '^\| [a-z_]+ \|' "$table")
if ((rows != $#)); then
  echo "FAILED: $rows rows for $# patches"
  failures=$((failures + 1))
fi
((failures == 0))
