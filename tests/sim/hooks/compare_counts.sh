#!/bin/bash
# compare_counts.sh BINARY... CONTROL: every binary, whatever its order of linking, must print the same counts of hooks;
# the control must print smaller ones, which shows that this test can fail.
set -u

counts() {
  local line
  line=$("$1" | grep '^hooks:') || { echo "$1 failed" >&2; exit 1; }
  echo "${line#hooks: }"
}

control=${!#}
set -- "${@:1:$#-1}"
expected=$(counts "$1")
failed=0
for binary; do
  actual=$(counts "$binary")
  echo "$actual  ${binary##*/}"
  if [[ $actual != "$expected" ]]; then
    echo "differs from $expected: hooks were lost"
    failed=1
  fi
done

actual=$(counts "$control")
echo "$actual  ${control##*/}"
read -ra all <<<"$expected"
read -ra fewer <<<"$actual"
lost=0
for i in "${!all[@]}"; do
  ((fewer[i] <= all[i])) || { echo "the control has more hooks than the others"; failed=1; }
  lost=$((lost + all[i] - fewer[i]))
done
if ((lost == 0)); then
  echo "the control lost no hook: this test could not fail"
  failed=1
fi
exit $failed
