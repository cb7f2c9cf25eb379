# What tests of programs say: sourced by them. The output of the last command is in the file `out`.
failures=0

expect() {  # WHAT COMMAND...: the command must succeed
  local what=$1
  shift
  "$@" && return
  echo "FAILED: $what"
  failures=$((failures + 1))
}
status_is() {  # STATUS COMMAND...
  local expected=$1 status
  shift
  "$@" >out 2>&1
  status=$?
  ((status == expected)) && return
  echo "status $status, expected $expected: $*"
  tail -n 50 out
  return 1
}
