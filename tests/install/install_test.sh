#!/bin/bash
# Installs into a scratch folder, and builds projects that know nothing of Jacquard with what is there.
#   install_test.sh INSTALLER RUNFILES...
set -u
here=$PWD/tests/install
. "$here/checks.sh"

ends 2 'without a prefix' "$installer" "${@:2}" --
says 'without a prefix' 'usage: '
ends 2 'with an unknown option' install "${@:2}" -- --bogus
mkdir -p "$scratch/other/bin" && echo 'somebody else' >"$scratch/other/bin/jacquard-cc"
ends 2 'where another program is' install "${@:2}" -- other
says 'where another program is' 'is not Jacquard'
[[ $(cat "$scratch/other/bin/jacquard-cc") == 'somebody else' ]] || fail 'it is overwritten'
ends 0 'by force' install "${@:2}" -- --force other
[[ -x $scratch/other/bin/jacquard-c++ ]] || fail 'nothing is there'
ends 0 'into a folder' install "${@:2}" -- prefix
ends 0 'once more' install "${@:2}" -- prefix
export PATH=$scratch/prefix/bin:$PATH

# ---- the wrapper by itself

cd "$scratch" || exit 1
ends 1 'with a sanitizer' jacquard-cc -fsanitize=address -c "$here/makefile_project/counter.c"
says 'with a sanitizer' 'has its own oracles'
ends 1 'for 32 bits' jacquard-cc -m32 -c "$here/makefile_project/counter.c"
says 'for 32 bits' '-m32: .* 64 bits'
ends 1 'linking statically' jacquard-cc -static "$here/makefile_project/counter.c"
ends 0 'its version' jacquard-c++ --version
# As Meson asks.
ends 0 'the linker' jacquard-cc -Werror -Wl,--version
says 'the linker' '^(GNU ld|LLD) '

# A source by another name, or from standard input.
ends 0 'a program from standard input' jacquard-cc -x c - -o piped <<<'int main(void) { return 0; }'
ends 0 'its run' ./piped

# With parts in assembly.
printf '.globl Answer\nAnswer:\n  movl $42, %%eax\n  ret\n.section .note.GNU-stack, "", @progbits\n' >answer.s
cp answer.s answer_too.S && sed -i s/Answer/AnswerToo/ answer_too.S
printf 'int Answer(void);\nint AnswerToo(void);\nint main(void) { return Answer() - AnswerToo(); }\n' >asks.c
ends 0 'with assembly' jacquard-cc -o asks asks.c answer.s answer_too.S
ends 0 'its run' ./asks

# Options and files in a file, as build systems write them for long command lines, and in one that it names.
mkdir -p 'a folder' && printf 'int main(void) { return VALUE; }\n' >'a folder/main.c'
printf '%s\n' '-DVALUE=0 -o "in a file"' "'a folder/main.c'" >inner.rsp
printf '%s\n' '-O1' @inner.rsp >outer.rsp
ends 0 'with options in a file' jacquard-cc @outer.rsp
ends 0 'its run' './in a file'
ends 1 'without that file' jacquard-cc @nowhere.rsp
says 'without that file' 'no such file'
printf '@itself.rsp\n' >itself.rsp
ends 1 'with a file that names itself' jacquard-cc @itself.rsp
says 'with a file that names itself' 'names itself'
printf '"never closed\n' >quote.rsp
ends 1 'with an open quote in a file' jacquard-cc @quote.rsp
says 'with an open quote in a file' 'quote.rsp: cannot tell'

# A header, compiled ahead in each of the ways to ask for that.
printf '#include <thread>\n' >ahead.h
printf '#include "ahead.h"\nint main() { std::thread([] {}).join(); }\n' >uses_header.cc
for ways in '-x c++-header' -xc++-header ''; do
  # shellcheck disable=SC2086
  ends 0 "a header with '$ways'" jacquard-c++ $ways ahead.h -o ahead.h.pch
  ends 0 'its use' jacquard-c++ -include-pch ahead.h.pch uses_header.cc -o uses_header
  ends 0 'its run' env JACQUARD_OPTIONS=executions=10 ./uses_header
done

# With the compiler's own library linked in, whose unwinder calls functions that the runtime stands for.
printf '%s\n' '#include <pthread.h>' '#include <string.h>' 'static void *Length(void *text) { return (void *)strlen(text); }' \
  'int main(int count, char **words) {' '  pthread_t thread;' '  void *length;' \
  '  pthread_create(&thread, 0, Length, words[0]);' '  pthread_join(thread, &length);' \
  '  return length == 0 || count != 1;' '}' >length.c
ends 0 'with the library of the compiler in it' jacquard-cc -static-libgcc length.c -o length
ends 0 'its run' env JACQUARD_OPTIONS=executions=100 ./length

# What code calls that knows ThreadSanitizer.
cat >knows_sanitizers.c <<'END'
void __tsan_flush_memory(void);
void *__tsan_get_current_fiber(void);
void __sanitizer_syscall_pre_impl_close(long file);
void __sanitizer_syscall_post_impl_close(long result, long file);
int main(void) {
  __sanitizer_syscall_pre_impl_close(0);
  __sanitizer_syscall_post_impl_close(0, 0);
  __tsan_flush_memory();
  return __tsan_get_current_fiber() == &main;
}
END
ends 0 'a program that knows sanitizers' jacquard-cc -o knows_sanitizers knows_sanitizers.c
ends 0 'its run' ./knows_sanitizers

# What distributions build with: calls of memcpy become others, and are accesses as before.
cat >fortified.c <<'END'
#include <pthread.h>
#include <string.h>
char to[64], from[64];
static volatile size_t size = 16;
static void* Copy(void* argument) {
  memcpy(to, from, size);
  return argument;
}
int main(void) {
  pthread_t thread;
  pthread_create(&thread, NULL, Copy, NULL);
  Copy(NULL);
  pthread_join(thread, NULL);
  return 0;
}
END
for level in 0 2 3; do
  ends 0 'with _FORTIFY_SOURCE' jacquard-cc -O2 -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=$level -o fortified fortified.c
  ends 1 'a race with _FORTIFY_SOURCE' env JACQUARD_OPTIONS=executions=100 ./fortified
  says 'a race with _FORTIFY_SOURCE' '^race: plain write and plain write'
done

# ---- what another compiler has made

cat >lock.c <<'END'
#include <stdatomic.h>
static atomic_int word;
void Lock(void) {
  while (atomic_exchange(&word, 1) != 0) {
  }
}
void Unlock(void) { atomic_store(&word, 0); }
END
printf 'void Lock(void);\nvoid Unlock(void);\nint main(void) { Lock(); Unlock(); return 0; }\n' >locks.c
compiler=$(command -v clang-19 || command -v clang)
"$compiler" -c -o foreign.o lock.c && ar rc libforeign.a foreign.o &&
  "$compiler" -shared -fPIC -o libshared.so lock.c || fail 'cannot compile lock.c'
for library in foreign.o libforeign.a libshared.so; do
  ends 0 "linking $library" jacquard-cc -o locks locks.c "./$library"
  says "linking $library" "compiled without the hooks, .*: $library\.$"
done
jacquard-cc -c -o hooked.o lock.c || fail 'cannot compile lock.c with the hooks'
for library in hooked.o lock.c; do
  ends 0 "linking $library" jacquard-cc -o locks locks.c $library
  grep -q 'warning' "$log" && fail "it warns of $library"
done
ends 1 'linking nothing' jacquard-cc -o locks locks.c
says 'linking nothing' 'undefined reference'

# ---- a project with a Makefile

cp -rL "$here/makefile_project" make && cd make || exit 1
ends 0 'make' make CC=jacquard-cc
says 'make' 'barrier.c: atomic instructions or fences that no hook stands for'
says 'make' '  main: lock addl'
grep -q 'counter.c: atomic\|flag.c: atomic\|stack.c: atomic' "$log" && fail 'it warns where nothing is'
[[ -f flag.d ]] || fail 'dependencies are written'

export JACQUARD_OPTIONS='executions=2000'
ends 0 'the counter' ./counter counter
ends 1 'the broken counter' ./broken_counter
says 'the broken counter' '^race: '
says 'the broken counter' 'counter\.c:'
token=$(grep -oE 'J1[A-Za-z0-9_-]+' "$log" | head -n 1)
ends 0 'the flag' ./flag
ends 0 'the stack' env JACQUARD_OPTIONS='executions=2000 status=report' ./stack
ends 1 'the broken flag' ./broken_flag
says 'the broken flag' 'abort: .*memory_order_relaxed'

# The token replays just that execution; a wrong request is refused.
JACQUARD_OPTIONS="replay=$token" ends 1 'a replay' ./broken_counter
says 'a replay' '^race: '
JACQUARD_OPTIONS='replay=J1nonsense' ends 2 'a malformed token' ./broken_counter
JACQUARD_OPTIONS='bogus=1' ends 2 'an unknown option' ./counter
says 'an unknown option' 'bogus'
JACQUARD_OPTIONS='strategy=help' ends 0 'the strategies' ./counter
says 'the strategies' 'random'

# A program that calls Jacquard by itself, with the installed headers.
cat >explores.cc <<'END'
#include <atomic>
#include <cstdio>
#include <thread>

#include "jacquard/jacquard.h"

int main() {
  const jacquard::Result result = jacquard::Explore([] {
    std::atomic<int> counter{0};
    const auto count = [&] { counter.store(counter.load() + 1); };
    std::thread a(count);
    std::thread b(count);
    a.join();
    b.join();
    jacquard::Check(counter.load() == 2, "no update is lost");
  });
  std::puts(result.report().c_str());
  return result.ok() ? 0 : 4;
}
END
JACQUARD_MAIN=once ends 0 'a program that explores' jacquard-c++ -std=c++20 -o explores explores.cc
ends 4 'it finds the bug' ./explores
says 'it finds the bug' '^invariant: no update is lost'

# With the system's GoogleTest, which has no hooks.
cat >expects.cc <<'END'
#include <gtest/gtest.h>
#include <atomic>
#include <thread>
#include "jacquard/jacquard.h"
static void Count(bool atomically) {
  jacquard::ExpectNoBug([atomically] {
    std::atomic<int> count = 0;
    const auto add = [&] { atomically ? ++count : count = count + 1; };
    std::thread a(add), b(add);
    a.join();
    b.join();
    EXPECT_EQ(count, 2);
  }, {.executions = 1000});
}
TEST(Count, Atomically) { Count(true); }
TEST(Count, InTwoSteps) { Count(false); }
END
JACQUARD_MAIN=once ends 0 'a unit test' jacquard-c++ -std=c++20 -o expects expects.cc \
  "$scratch/prefix/lib/jacquard/googletest.cc" -lgtest -lgtest_main
ends 1 'it fails' ./expects
says 'it fails' '^\[       OK \] Count.Atomically'
says 'it fails' '^\[  FAILED  \] Count.InTwoSteps'
says 'it fails' '^expectation: '

# A status that is none of a bug is told.
printf '#include <thread>\nint main() { std::thread([] {}).join(); return 3; }\n' >returns.cc
ends 0 'a status' jacquard-c++ -o returns returns.cc
ends 0 'its run' env JACQUARD_OPTIONS=executions=10 ./returns
says 'its run' '10 times the program ended with another status than 0'
ends 3 'in no time' env JACQUARD_OPTIONS=seconds=1e-9 ./returns

# main may stand in an archive, as that of a test framework does.
echo 'int main(void) { return 4; }' >only_main.c
ends 0 'an object' jacquard-cc -c only_main.c
rm -f libmain.a && ar rc libmain.a only_main.o
echo 'int unused;' >unused.c
ends 0 'main in an archive' jacquard-cc -o of_archive unused.c libmain.a
ends 4 'its run' env -u JACQUARD_OPTIONS ./of_archive

# ---- a project with CMake

cd "$scratch" && cp -rL "$here/cmake_project" cmake && cd cmake || exit 1
ends 0 'cmake' cmake -B build -DCMAKE_C_COMPILER=jacquard-cc -DCMAKE_CXX_COMPILER=jacquard-c++ .
ends 0 'cmake --build' cmake --build build
export JACQUARD_OPTIONS='executions=2000'
for standard in 11 14 17 20; do ends 0 "C++$standard" build/main$standard; done
ends 1 'the broken queue' build/broken
says 'the broken queue' '^race: '

finish
