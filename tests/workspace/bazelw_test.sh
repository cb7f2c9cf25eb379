#!/bin/bash
# Tests bazelw on machines that do not exist: a checkout of its own, and a PATH that holds nothing but fakes of apt-get,
# dpkg-query, sudo, id, uname and bazel, and the few real tools that bazelw uses. No package is ever installed.
set -u

readonly UNSUITABLE=36
readonly BAZELW=$PWD/bazelw
readonly PACKAGES=$PWD/tools/debian_packages.txt
failures=0

fail() {
  printf 'FAILED: %s: %s\n' "$test_name" "$1"
  sed 's/^/    /' "$machine/stdout" "$machine/stderr" "$machine/log"
  failures=$((failures + 1))
}

# fake NAME: a program for the machine's PATH, its text on the standard input.
fake() {
  { printf '#!/bin/bash\n'; cat; } >"$machine/bin/$1"
  chmod +x "$machine/bin/$1"
}

# new_machine NAME: Debian on x86-64, the user is root, no package is installed. `log` tells what was called.
new_machine() {
  test_name=$1
  machine=$TEST_TMPDIR/$1
  checkout=$machine/checkout
  mkdir -p "$machine/bin" "$machine/home" "$checkout/tools" "$checkout/sim/deep" "$checkout/third_party/shim"
  cp -L "$BAZELW" "$checkout/bazelw"
  cp -L "$PACKAGES" "$checkout/tools/debian_packages.txt"
  touch "$checkout/WORKSPACE" "$checkout/third_party/shim/WORKSPACE" "$machine/log" "$machine/installed"
  echo 0 >"$machine/uid"
  echo 'Linux x86_64' >"$machine/uname"
  printf 'ID=debian\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n' >"$machine/os-release"

  local tool
  for tool in bash cat dirname env grep mkdir readlink sed true; do ln -s "$(type -P $tool)" "$machine/bin/$tool"; done
  fake uname <<<"cat '$machine/uname'"
  fake id <<<"[[ \$1 == -u ]] && cat '$machine/uid'"
  fake bazel <<<"
    [[ \$1 != --version ]] || { echo 'bazel no_version'; exit; }
    echo \"bazel in \$PWD:\$(printf ' <%s>' \"\$@\")\" >>'$machine/log'
    echo 'what Bazel prints'
    exit 3"
  fake dpkg-query <<<"
    [[ \$1 == -W && \$2 == -f ]] || exit 2
    known=0
    for package in \"\${@:5}\"; do
      grep -qx -- \"\$package\" '$machine/installed' && printf 'installed:%s ' \"\$package\" || known=1
    done
    exit \$known"
  fake apt-get <<<"
    echo \"apt-get frontend=\$DEBIAN_FRONTEND \$*\" >>'$machine/log'
    [[ \$(id -u) == 0 || -n \${AS_ROOT:-} ]] || { echo 'are you root?' >&2; exit 100; }
    read -r -t 1 && { echo 'standard input is not empty' >>'$machine/log'; exit 100; }
    echo chatter
    while ((\$# > 0)); do
      case \$1 in update) exit 0 ;; --) shift; break ;; esac
      shift
    done
    printf '%s\n' \"\$@\" | grep -vx -f '$machine/unavailable' >>'$machine/installed'"
  echo nothing >"$machine/unavailable"
}

install_all() { sed -n 's/^\([a-z][^ ]*\).*/\1/p' "$PACKAGES" >"$machine/installed"; }

add_sudo() {
  fake sudo <<<"
    echo \"sudo \$*\" >>'$machine/log'
    [[ \$1 == -n ]] || { echo 'asked for a password' >>'$machine/log'; exit 1; }
    $1
    AS_ROOT=1 exec \"\${@:2}\""
}

# One that wants a password: whoever is asked on a terminal types a right one (`exit 0`) or a wrong one (`exit 1`).
add_sudo_with_password() {
  fake sudo <<<"
    echo \"sudo \$*\" >>'$machine/log'
    [[ \$1 != -n ]] || exit 1
    if [[ \$1 == -v ]]; then $1; fi
    AS_ROOT=1 exec \"\$@\""
}

# bazelw FOLDER ARGUMENTS...: runs it there with something on the standard input; sets `status`.
bazelw() {
  (
    cd "$1" || exit 99
    env -i PATH="$machine/bin" HOME="$machine/home" USER=tester BAZELW_OS_RELEASE="$machine/os-release" \
      "$checkout/bazelw" "${@:2}"
  ) >"$machine/stdout" 2>"$machine/stderr" <<<"something that nobody may read"
  status=$?
}

# The same with a terminal; what it prints counts as said.
bazelw_on_terminal() {
  script -qec "cd '$1' && env -i PATH='$machine/bin' HOME='$machine/home' USER=tester \
    BAZELW_OS_RELEASE='$machine/os-release' '$checkout/bazelw' ${*:2}" "$machine/stderr" >/dev/null </dev/null
  status=$?
}

expect_status() { [[ $status == "$1" ]] || fail "exit code $status, not $1"; }
expect_log() { grep -qF -- "$1" "$machine/log" || fail "not called: $1"; }
expect_no_log() { ! grep -qF -- "$1" "$machine/log" || fail "was called: $1"; }
expect_said() { grep -qF -- "$1" "$machine/stderr" || fail "did not say: $1"; }

# Nothing was installed, Bazel did not run, and the reader knows what to type.
expect_given_up() {
  expect_status "$UNSUITABLE"
  expect_no_log 'apt-get'
  expect_no_log 'bazel in'
  [[ ! -s $machine/stdout ]] || fail 'wrote to the standard output'
}

expect_advice() {
  expect_said 'apt-get update && apt-get install'
  expect_said 'clang-19'
}

new_machine everything_is_there
install_all
bazelw "$checkout" test //... --name='a b'
expect_status 3
expect_log "bazel in $checkout: <test> <//...> <--name=a b>"
expect_no_log 'apt-get'
[[ ! -s $machine/stderr ]] || fail 'said something although everything is there'

new_machine root_without_packages
bazelw "$checkout" build //...
expect_status 3
expect_log 'apt-get frontend=noninteractive -q -y'
expect_said 'installing what this checkout needs'
expect_said 'clang-19'
expect_log "bazel in $checkout: <build> <//...>"
[[ $(cat "$machine/stdout") == 'what Bazel prints' ]] || fail 'chatter of apt-get on the standard output'
while read -r package rest; do
  [[ -z $package || $package == '#'* ]] || grep -qx -- "$package" "$machine/installed" || fail "left out $package"
done <"$PACKAGES"

new_machine root_with_one_package_missing
install_all
sed -i /lld-19/d "$machine/installed"
bazelw "$checkout" build
expect_log '-- lld-19'
expect_no_log 'clang-19'

new_machine user_with_sudo
echo 1000 >"$machine/uid"
add_sudo ''
bazelw "$checkout" build
expect_status 3
expect_log 'sudo -n env DEBIAN_FRONTEND=noninteractive apt-get'
expect_no_log 'asked for a password'
expect_log "bazel in $checkout: <build>"

new_machine user_whose_sudo_wants_a_password
echo 1000 >"$machine/uid"
add_sudo 'exit 1'
bazelw "$checkout" build
expect_given_up
expect_advice
expect_said 'without a password'

new_machine user_who_types_a_password
echo 1000 >"$machine/uid"
add_sudo_with_password 'exit 0'
bazelw_on_terminal "$checkout" build
expect_status 3
expect_said 'sudo asks for your password'
expect_log 'sudo env DEBIAN_FRONTEND=noninteractive apt-get'
expect_log "bazel in $checkout: <build>"

new_machine user_who_types_a_wrong_password
echo 1000 >"$machine/uid"
add_sudo_with_password 'exit 1'
bazelw_on_terminal "$checkout" build
expect_status "$UNSUITABLE"
expect_no_log 'apt-get'
expect_no_log 'bazel in'
expect_advice
expect_said 'sudo does not let you'

new_machine user_without_a_terminal
echo 1000 >"$machine/uid"
add_sudo_with_password 'exit 0'
bazelw "$checkout" build
expect_given_up
expect_advice
expect_no_log 'sudo -v'

new_machine user_without_sudo
echo 1000 >"$machine/uid"
bazelw "$checkout" build
expect_given_up
expect_advice
expect_said 'there is no sudo'

new_machine another_system
printf 'ID=fedora\nPRETTY_NAME="Fedora Linux 40"\n' >"$machine/os-release"
bazelw "$checkout" build
expect_given_up
expect_advice
expect_said 'not Debian or Ubuntu but Fedora Linux 40'

new_machine no_os_release
rm "$machine/os-release"
bazelw "$checkout" build
expect_given_up
expect_advice

new_machine ubuntu
printf 'ID=ubuntu\nID_LIKE=debian\n' >"$machine/os-release"
bazelw "$checkout" build
expect_status 3
expect_log 'apt-get'

new_machine another_processor
echo 'Linux aarch64' >"$machine/uname"
install_all
bazelw "$checkout" build
expect_given_up
expect_said 'x86-64 only; this is Linux aarch64'

new_machine package_that_does_not_exist
echo relacy-dev >"$machine/unavailable"
bazelw "$checkout" build
expect_status "$UNSUITABLE"
expect_no_log 'bazel in'
expect_said 'still missing'
expect_said 'apt-get update && apt-get install relacy-dev'

new_machine no_network
fake apt-get <<<"echo \"apt-get \$*\" >>'$machine/log'; echo 'Could not resolve host' >&2; exit 100"
bazelw "$checkout" build
expect_status "$UNSUITABLE"
expect_no_log 'bazel in'
expect_advice
expect_said 'Could not resolve host'
expect_said 'could not install the packages'

new_machine another_bazel
fake bazel <<<"
  [[ \$1 != --version ]] || { echo 'bazel 7.7.1'; exit; }
  echo \"bazel in \$PWD: <\$1>\" >>'$machine/log'"
bazelw "$checkout" build
expect_status 0
expect_log 'clang-19'
expect_no_log 'bazel-bootstrap'
expect_log "bazel in $checkout: <build>"

new_machine folders
install_all
bazelw "$checkout/sim/deep" build
expect_log "bazel in $checkout/sim/deep: <build>"
bazelw "$checkout/third_party/shim" one  # has a WORKSPACE of its own
expect_log "bazel in $checkout: <one>"
bazelw "$machine" two
expect_log "bazel in $checkout: <two>"
mkdir "$machine/checkout-2"  # only begins like the checkout
bazelw "$machine/checkout-2" three
expect_log "bazel in $checkout: <three>"
ln -s "$checkout" "$machine/link"
bazelw "$machine/link/sim" four
expect_log "bazel in $checkout/sim: <four>"

new_machine user_without_name_and_home
install_all
echo 4242 >"$machine/uid"
fake bazel <<<"echo \"USER=\$USER HOME=\$HOME\" >>'$machine/log'"
(cd "$checkout" && env -i PATH="$machine/bin" HOME=/nonexistent TMPDIR="$machine" \
  BAZELW_OS_RELEASE="$machine/os-release" ./bazelw build) >"$machine/stdout" 2>"$machine/stderr"
expect_log "USER=user-4242 HOME=$machine/jacquard-home-4242"
expect_said "$machine/jacquard-home-4242"

# The real package database understands the question (where everything is there).
new_machine real_database
real=$(command -v dpkg-query)
# shellcheck disable=SC2046
if [[ -n $real ]] && "$real" -W -f '\n' $(sed -n 's/^\([a-z][^ ]*\).*/\1/p' "$PACKAGES") >/dev/null 2>&1; then
  ln -sf "$real" "$machine/bin/dpkg-query"
  bazelw "$checkout" build
  expect_log "bazel in $checkout: <build>"
  expect_no_log 'apt-get'
fi

# What it costs when everything is there: that it asks once, however many packages there are, and next to nothing else.
new_machine cost
install_all
for tool in "$machine"/bin/*; do
  name=${tool##*/}
  [[ $name != bash ]] || continue
  mv "$tool" "$machine/$name.original"
  fake "$name" <<<"
    [[ -n \${INSIDE_FAKE:-} ]] || echo 'starts $name' >>'$machine/log'
    INSIDE_FAKE=1 exec '$machine/$name.original' \"\$@\""
done
bazelw "$checkout" build
expect_log "bazel in $checkout: <build>"
started=$(sed -n 's/^starts //p' "$machine/log" | sort | tr '\n' ' ')
[[ $started == 'bazel dirname dpkg-query uname ' ]] || fail "starts $started"

((failures == 0)) || { echo "$failures failures"; exit 1; }
