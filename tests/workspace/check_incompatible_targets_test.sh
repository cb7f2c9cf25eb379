#!/bin/bash
# Tests tools/check_incompatible_targets in a checkout of its own, whose bazelw answers from files.
set -u

checkout=$TEST_TMPDIR/checkout
mkdir -p "$checkout/tools"
cp -L tools/check_incompatible_targets "$checkout/tools/"
failures=0

cat >"$checkout/bazelw" <<'END'
#!/bin/bash
cd "$(dirname "$0")" || exit 9
if [[ $1 == query ]]; then
  expression=${*: -1}
  expression=${expression%% except *}
  expression=${expression//[^a-z_]/-}
  cat "answer_$expression"
  exit
fi
[[ $1 == cquery ]] || exit 9
configuration=plain
for argument; do [[ $argument != --config=* ]] || configuration=${argument#--config=}; done
cat "left_out_$configuration"  # with an empty line for each target that is built, as cquery prints it
END
chmod +x "$checkout/bazelw"

# start LIST: nothing is left out; the list holds the lines given.
start() {
  printf '%s\n' '# A comment.' '' "$@" >"$checkout/tools/incompatible_targets.txt"
  local configuration
  for configuration in plain asan tsan ubsan; do printf '\n\n' >"$checkout/left_out_$configuration"; done
}

# expect STATUS TEXT ARGUMENTS...: from a folder elsewhere.
expect() {
  local output status
  output=$(cd / && "$checkout/tools/check_incompatible_targets" "${@:3}" 2>&1)
  status=$?
  [[ $status == "$1" && $output == *"$2"* && ( -n $2 || -z $output ) ]] && return
  printf 'FAILED in line %s: status %s, not %s; expected "%s" in:\n%s\n' "${BASH_LINENO[0]}" "$status" "$1" "$2" "$output"
  failures=$((failures + 1))
}

start
expect 0 ''

start 'asan //sim:fiber_test  real threads have no fibers' 'tsan //sim:fiber_test  real threads have no fibers'
printf '\n//sim:fiber_test\n\n' >"$checkout/left_out_asan"
printf '//sim:fiber_test\n' >"$checkout/left_out_tsan"
expect 0 ''

printf '\n//sim:fiber_test\n//sim:new_test\n' >"$checkout/left_out_asan"
expect 1 'Bazel leaves out //sim:new_test under asan, but'
expect 0 '' tsan
expect 1 '//sim:new_test' asan

start 'ubsan //sim:gone_test  why' 'ubsan //sim:built_test  why'
printf '//sim:gone_test\n' >"$checkout/left_out_ubsan"
expect 1 'lists //sim:built_test, but Bazel builds it under ubsan'

start 'plain //stress:native_test  why'
expect 1 'lists //stress:native_test, but Bazel builds it under plain'
expect 0 '' asan

start 'asan,ubsan //sim:fiber_test  why'
printf '//sim:fiber_test\n' | tee "$checkout/left_out_asan" >"$checkout/left_out_ubsan"
expect 0 ''
printf '//sim:fiber_test\n' >"$checkout/left_out_tsan"
expect 1 '//sim:fiber_test under tsan'
start 'asan,msan //sim:fiber_test  why'
expect 2 '3:asan,msan'

start 'asan //sim:fiber_test'
expect 2 '3:asan //sim:fiber_test'
start 'msan //sim:fiber_test  no such configuration'
expect 2 '3:msan'

# Many at once, by rule or by package.
start 'asan kind(sim_test)  simulated' 'asan tests(//lock/...)  why'
printf '//sim:fiber_test\n//sim:new_test\n' >"$checkout/answer_kind---sim_test-rule----------"
echo '//lock:word_test' >"$checkout/answer_tests---lock-----"
printf '//sim:fiber_test\n//sim:new_test\n//lock:word_test\n' >"$checkout/left_out_asan"
expect 0 ''
printf '//sim:fiber_test\n//lock:word_test\n' >"$checkout/left_out_asan"
expect 1 'lists //sim:new_test, but Bazel builds it under asan'
printf '//sim:fiber_test\n//sim:new_test\n//lock:word_test\n//lock:other_test\n' >"$checkout/left_out_asan"
expect 1 'Bazel leaves out //lock:other_test under asan, but'
start 'asan kind(Sim test)  why'
expect 2 '3:asan kind'
start 'asan kind(no_such_rule)  why'
expect 2 'cannot tell which targets kind(no_such_rule) are'

start
rm "$checkout/left_out_tsan"
expect 2 'cannot tell what Bazel leaves out under tsan'
rm "$checkout/tools/incompatible_targets.txt"
expect 2 'cannot read'

((failures == 0))
