#!/bin/bash
# Tests tools/apply_patch on a small folder: what applies, and each way in which a patch can be stale.
set -u

readonly APPLY_PATCH=$PWD/tools/apply_patch
cd "$TEST_TMPDIR" || exit 1
mkdir lock
printf '%s\n' one two three four five >lock/word.h
printf '%s\n' six seven eight >lock/word.cc
failures=0

# patch_of FILE BEFORE OLD AFTER: a patch that replaces the line OLD between the other two by `new`.
patch_of() { printf '%s\n' "--- a/$1" "+++ b/$1" '@@ -1,3 +1,3 @@' " $2" "-$3" '+new' " $4"; }

# apply NAME: the patch is on the standard input; sets `status`, and `message` to what it said.
apply() {
  name=$1
  cat >"$name.patch"
  message=$("$APPLY_PATCH" "$name.patch" "out_$name" lock/word.h lock/word.cc 2>&1)
  status=$?
}

expect() {
  [[ $status == "$1" && $message == *"$2"* ]] && return
  printf 'FAILED: %s: status %s, not %s; expected "%s" in:\n%s\n' "$name" "$status" "$1" "$2" "$message"
  failures=$((failures + 1))
}

expect_copy() {
  [[ $(tr '\n' ' ' <"out_$name/$1") == "$2" ]] && return
  printf 'FAILED: %s: %s is %s\n' "$name" "$1" "$(cat "out_$name/$1")"
  failures=$((failures + 1))
}

apply good < <(patch_of lock/word.h one two three)
expect 0 ''
expect_copy lock/word.h 'one new three four five '
expect_copy lock/word.cc 'six seven eight '
[[ $(find out_good -type f | wc -l) == 2 ]] || { echo 'FAILED: left something behind'; failures=1; }

apply of_a_line_that_has_gone < <(patch_of lock/word.h one zwei three)
expect 1 'of_a_line_that_has_gone.patch: no longer applies'
expect 1 'lock/word.h'

apply of_a_context_that_has_changed < <(patch_of lock/word.h uno two three)
expect 1 'no longer applies'

apply of_a_line_that_has_moved < <(patch_of lock/word.h three four five)
expect 0 ''
expect_copy lock/word.h 'one two three new five '

apply that_is_in_already < <(patch_of lock/word.h one new three | sed 's/^-new/-old/; s/^+new/+two/')
expect 1 'no longer applies'

apply of_which_one_half_applies < <(patch_of lock/word.h one two three; patch_of lock/word.cc six five eight)
expect 1 'no longer applies'

apply to_a_file_that_has_gone < <(patch_of lock/old.h one two three)
expect 1 'no longer applies'

apply that_adds_a_file < <(printf '%s\n' '--- /dev/null' '+++ b/lock/new.h' '@@ -0,0 +1 @@' '+new')
expect 1 'adds lock/new.h'

apply that_removes_a_file < <(printf '%s\n' '--- a/lock/word.cc' '+++ /dev/null' '@@ -1,3 +0,0 @@' -six -seven -eight)
expect 1 'removes lock/word.cc'

apply to_the_checkout_itself < <(patch_of ../../lock/word.h one two three)
expect 1 'no longer applies'

apply that_is_empty </dev/null
expect 1 'changes nothing'

apply without_a_hunk <<<'Only a description.'
expect 1 'no longer applies'

[[ $(tr '\n' ' ' <lock/word.h) == 'one two three four five ' ]] || { echo 'FAILED: the original was changed'; failures=1; }
((failures == 0))
