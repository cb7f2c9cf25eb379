#!/bin/bash
# Installs Jacquard for other build systems: ./bazelw run //tools:install -- PREFIX
#   PREFIX/bin/jacquard-cc, jacquard-c++    compiler wrappers
#   PREFIX/lib/jacquard/                    the runtime, the headers that a unit test includes, and GoogleTest's side of it
# Called by Bazel with the wrapper, the runtime, the main that calls the program's, the header for inline assembly, GoogleTest's
# side, and the other headers, relative to where it starts, and `--` before the user's arguments.
set -u

fail() {
  printf 'install: %s\n' "$1" >&2
  exit 2
}

wrapper=$1 runtime=$2 main=$3 inline_assembly=$4 googletest=$5
shift 5
headers=()
while (($# > 0)) && [[ $1 != -- ]]; do
  headers+=("$1")
  shift
done
shift
force=false
if [[ ${1:-} == --force ]]; then
  force=true
  shift
fi
[[ $# -eq 1 && -n $1 && $1 != -* ]] ||
  fail 'usage: ./bazelw run //tools:install -- [--force] PREFIX (a folder, such as "$HOME/.local")'

prefix=$1
[[ $prefix == /* ]] || prefix=${BUILD_WORKING_DIRECTORY:-$PWD}/$prefix

# What is there and not ours stays.
readonly mark='# jacquard-cc and jacquard-c++:'
for name in jacquard-cc jacquard-c++; do
  file=$prefix/bin/$name
  [[ -e $file || -L $file ]] || continue
  [[ $force == true ]] || grep -qsF "$mark" -- "$file" ||
    fail "$file exists and is not Jacquard's; --force overwrites it"
done

mkdir -p -- "$prefix/bin" "$prefix/lib/jacquard/include" 2>/dev/null || fail "cannot make folders in $prefix"
# In place of an older version in one step each: a build that goes on in the meantime sees the one or the other.
place() {
  local to=$prefix/$2
  mkdir -p -- "${to%/*}" && install -m "$3" -- "$1" "$to.new" && mv -f -- "$to.new" "$to" || fail "cannot write $to"
}
place "$runtime" lib/jacquard/jacquard.o 644
place "$main" lib/jacquard/main.o 644
place "$inline_assembly" lib/jacquard/inline_assembly.h 644
place "$googletest" lib/jacquard/googletest.cc 644
for header in "${headers[@]}"; do place "$header" "lib/jacquard/include/$header" 644; done
place "$wrapper" bin/jacquard-cc 755
ln -sfn jacquard-cc "$prefix/bin/jacquard-c++" || fail "cannot write $prefix/bin/jacquard-c++"
echo "Installed jacquard-cc and jacquard-c++ in $prefix/bin; make CC=$prefix/bin/jacquard-cc CXX=$prefix/bin/jacquard-c++ builds for Jacquard."
