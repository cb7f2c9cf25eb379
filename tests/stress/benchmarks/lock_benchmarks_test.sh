#!/bin/bash
# Every benchmark of the lock runs for a moment, and none says that it failed. Sizes from 10,000 are left out.
set -eu
json=$TEST_TMPDIR/benchmarks.json

"$1" --benchmark_min_time=0.001 --benchmark_filter='-/10000+(/|$)' \
  --benchmark_out="$json" --benchmark_out_format=json >"$TEST_TMPDIR/output" 2>&1 || {
  cat "$TEST_TMPDIR/output"
  exit 1
}

python3 - "$json" <<'PYTHON'
import json, sys

with open(sys.argv[1]) as file:
    runs = json.load(file)["benchmarks"]
failed = [run["name"] for run in runs if run.get("error_occurred")]
assert not failed, failed
locks = {}
for run in runs:
    case, lock = run["name"].split("/")[:2]
    locks.setdefault(case, set()).add(lock)
peers = {"vma_lock", "pthread_rwlock", "std_shared_mutex", "absl_mutex", "boost_shared_mutex", "nsync_mu", "ck_rwlock",
         "ck_pflock"}
for case in "mix_100_to_1", "mix_10_to_1", "mix_1_to_1", "writer_latency":
    assert locks[case] == peers, (case, locks[case])
for case in "uncontended", "same_object", "different_objects", "bytes":
    assert locks[case] == peers | {"limit"}, (case, locks[case])
assert locks["release_all"] == {"vma_lock", "std_shared_mutex"}
assert locks["lookup"] == locks["change"] == {"vma_lock", "std_map_shared_mutex"}
# The word, the sequence and the mm's address: nothing else.
sizes = {run["name"].split("/")[1]: run["bytes"] for run in runs if run["name"].startswith("bytes/")}
assert sizes["vma_lock"] == 16, sizes
PYTHON
