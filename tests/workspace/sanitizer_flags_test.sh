#!/bin/bash
# sanitizer_flags_test.sh BAZELRC LINE...: each line stands in the file.
set -u
bazelrc=$1
shift
failed=0
for line; do
  grep -qxF -- "$line" "$bazelrc" && continue
  printf 'FAILED: .bazelrc and SANITIZER_COPTS, SANITIZER_LINKOPTS in tools/mode.bzl differ; the latter say\n%s\n' "$line"
  failed=1
done
exit $failed
