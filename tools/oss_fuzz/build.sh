#!/bin/bash
# Builds the fuzz targets for OSS-Fuzz and ClusterFuzzLite, from what these set: CC, CFLAGS, LIB_FUZZING_ENGINE, SANITIZER,
# FUZZING_ENGINE and OUT, the folder that it fills. All targets of fuzzers/ and examples/ that are tagged fuzz-test and neither
# manual nor no-oss-fuzz; JACQUARD_TARGETS names others.
#
#   SANITIZER   how targets are built
#   none        simulated
#   undefined   simulated, under UndefinedBehaviorSanitizer: what a service should run
#   coverage    simulated, with Clang's source coverage
#   address     native: real threads under AddressSanitizer. What does not fail again within ten tries the service drops
#   thread      native: real threads under ThreadSanitizer
#   memory      refused: see below
set -eu

cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.."

fail() {
  echo "build.sh: $1" >&2
  exit 1
}

: "${OUT:?build.sh: OUT, the folder to fill, is not set}"
: "${SANITIZER:=address}" "${FUZZING_ENGINE:=libfuzzer}" "${CC:=clang-19}" "${CFLAGS:=}" "${LIB_FUZZING_ENGINE:=}"
[[ -d $OUT ]] || fail "OUT: there is no folder $OUT"
[[ ${ARCHITECTURE:-x86_64} == x86_64 ]] || fail "ARCHITECTURE=$ARCHITECTURE: Jacquard runs on x86-64 only"

options=("--repo_env=CC=$CC")
case $SANITIZER in
  none | undefined | coverage) ;;
  address) options+=("--//tools:mode=asan") ;;
  thread) options+=("--//tools:mode=tsan") ;;
  memory)
    fail "SANITIZER=memory is not supported: MemorySanitizer wants all libraries built with it, and excludes the \
hooks of the simulated runtime; use SANITIZER=undefined"
    ;;
  *) fail "SANITIZER=$SANITIZER is not supported: none, undefined, coverage, address and thread are" ;;
esac

case $FUZZING_ENGINE in
  libfuzzer) ;;  # the compiler's own, with its last steps redirected: failures name the command that replays them
  none) options+=(--//tools:engine=replay) ;;
  *)
    [[ -n $LIB_FUZZING_ENGINE ]] || fail "FUZZING_ENGINE=$FUZZING_ENGINE: LIB_FUZZING_ENGINE is not set"
    options+=(--//tools:engine=external)
    for flag in $LIB_FUZZING_ENGINE; do options+=("--linkopt=$flag"); done
    ;;
esac

# cc_fuzz_test adds coverage by itself, to the code under test only; what is linked is the C++ library of the packages.
for flag in $CFLAGS; do
  case $flag in
    -fsanitize=fuzzer-no-link | -fsanitize=fuzzer | -stdlib=*) continue ;;
  esac
  options+=("--copt=$flag")
  case $flag in
    -fsanitize* | -fno-sanitize* | -fprofile-* | -fcoverage-* | -pthread | -Wl,* | -m64) options+=("--linkopt=$flag") ;;
  esac
done
[[ $SANITIZER != undefined ]] || options+=(--linkopt=-fsanitize-link-c++-runtime)

targets=${JACQUARD_TARGETS:-}
if [[ -z $targets ]]; then
  targets=$(./bazelw query --noshow_progress --ui_event_filters=-info \
    'let tests = attr(tags, "\bfuzz-test\b", //fuzzers/... + //examples/...) in
     $tests except attr(tags, "\b(no-oss-fuzz|manual)\b", $tests)')
fi
[[ -n $targets ]] || fail "there are no targets"

labels=()
for target in $targets; do labels+=("${target}_oss_fuzz"); done
./bazelw build "${options[@]}" "${labels[@]}"
for label in "${labels[@]}"; do
  package=${label#//}
  tar -C "$OUT" --no-same-owner -xf "bazel-bin/${package/:/\/}.tar"
done
echo "build.sh: ${#labels[@]} targets in $OUT"
