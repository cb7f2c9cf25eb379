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

install() { BUILD_WORKING_DIRECTORY=$scratch "$installer" "$@"; }
installer=$PWD/$1
