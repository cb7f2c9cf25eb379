# For the tests of the installer, which name it first: a scratch folder, and what checks a command.
scratch=$(mktemp -d "$TEST_TMPDIR/install.XXXXXX") || exit 1
failures=0
log=$scratch/log

fail() {
  printf 'FAILED: %s\n' "$1"
  [[ ! -f $log ]] || tail -n 40 "$log"
  failures=$((failures + 1))
}

# ends STATUS WHAT COMMAND...: it ends with that status.
ends() {
  local expected=$1 what=$2 status
  shift 2
  "$@" >"$log" 2>&1
  status=$?
  ((status == expected)) || fail "$what: status $status, not $expected: $*"
}

says() { grep -qE -- "$2" "$log" || fail "$1: expected \"$2\""; }

# The last thing that a test does.
finish() {
  ((failures == 0)) && echo 'all passed'
  exit "$failures"
}

install() { BUILD_WORKING_DIRECTORY=$scratch "$installer" "$@"; }
installer=$PWD/$1
compiler=$(command -v clang++-19 || command -v clang++) # which knows nothing of Jacquard

# begin RUNFILE...: installs, and goes to the scratch folder.
begin() {
  ends 0 'the installation' install "$@" -- prefix
  export PATH=$scratch/prefix/bin:$PATH
  cd "$scratch" || exit 1
}
