#!/bin/bash
# needed_flags_test.sh HEADER: built without the lines of .bazelrc that Jacquard needs, the header says which they are.
set -u
failed=0
for compiler in 'clang++-19 -std=c++17' 'g++ -std=c++20' 'g++ -std=c++17'; do
  command -v "${compiler%% *}" >/dev/null || continue
  # The first error: what follows from it may be anything.
  output=$($compiler -fsyntax-only -x c++ "$1" 2>&1) && { echo "FAILED: $compiler takes it"; failed=1; }
  grep -m 1 'error' <<<"$output" | grep -q 'build --repo_env=CC=clang-19 and build --cxxopt=-std=c++20' && continue
  echo "FAILED: $compiler: ${output:0:1000}"
  failed=1
done
exit $failed
