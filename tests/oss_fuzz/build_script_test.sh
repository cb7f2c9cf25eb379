#!/bin/bash
# What the services' build script and make_project refuse, before they build or write anything.
set -u
readonly BUILD=$PWD/tools/oss_fuzz/build.sh MAKE=$PWD/tools/oss_fuzz/make_project
cd "$TEST_TMPDIR" || exit 1
failures=0

fail() {
  echo "FAILED: $*"
  cat log
  failures=$((failures + 1))
}
build() { env -i PATH="$PATH" HOME="$PWD" "$@" "$BUILD" >log 2>&1; }
# refuses TEXT VARIABLE=VALUE...
refuses() {
  local text=$1
  shift
  build "$@" && fail "$*: is refused"
  grep -q -- "$text" log || fail "$*: says \"$text\""
  [[ -z $(ls -A out) ]] || fail "$*: builds nothing"
}

mkdir out
refuses 'OUT, the folder to fill, is not set'
refuses 'there is no folder nowhere' OUT=nowhere
refuses 'SANITIZER=memory is not supported: .*use SANITIZER=undefined' OUT="$PWD/out" SANITIZER=memory
refuses 'SANITIZER=introspector is not supported: none, undefined' OUT="$PWD/out" SANITIZER=introspector
refuses 'ARCHITECTURE=i386: ' OUT="$PWD/out" ARCHITECTURE=i386
refuses 'LIB_FUZZING_ENGINE is not set' OUT="$PWD/out" SANITIZER=none FUZZING_ENGINE=afl

make_project() { "$MAKE" "$@" >log 2>&1; }
make_project https://example.org/a.git https://example.org someone@example.org project || fail "make_project"
[[ $(ls project) == $'Dockerfile\nbuild.sh\nproject.yaml' && -x project/build.sh ]] || fail "three files"
grep -q 'git clone --depth 1 https://example.org/a.git ' project/Dockerfile || fail "the repository is cloned"
grep -q '@[A-Z]*@' project/* && fail "nothing is left to fill in"
make_project https://example.org/a.git https://example.org someone@example.org project && fail "nothing is overwritten"
grep -q 'project: exists already' log || fail "and it says so"
make_project 'https://example.org/"' https://example.org someone@example.org other && fail "no address"
make_project https://example.org https://example.org nobody other && fail "no mail address"
make_project https://example.org && fail "too few arguments"
[[ ! -e other ]] || fail "nothing is written"

((failures == 0)) && echo "all passed"
exit "$failures"
