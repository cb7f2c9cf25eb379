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

# A weak compare-exchange without a loop, in C and in C++, where nobody is in the way.
cat >weak.c <<'END'
#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>

static _Atomic int word;

static void *take(void *unused) {
  int expected = 0;
  static_assert(_Generic(atomic_compare_exchange_weak(&word, &expected, 1), _Bool: 1, default: 0), "");
  assert(atomic_compare_exchange_weak(&word, &expected, 1));
  return unused;
}

int main(void) {
  pthread_t thread;
  pthread_create(&thread, NULL, take, NULL);
  return pthread_join(thread, NULL);
}
END
cat >weak.cc <<'END'
#include <atomic>
#include <cassert>
#include <thread>

int main() {
  std::atomic<long> word{0};
  std::thread thread([&word] {
    long expected = 0;
    assert(word.compare_exchange_weak(expected, 1));
  });
  thread.join();
}
END
# As GLib writes it, for integers and for pointers.
cat >void_expected.c <<'END'
#include <assert.h>
#include <pthread.h>
#include <stddef.h>

static int word;
static void *pointer;

static void *take(void *unused) {
  int expected = 0;
  void *nothing = NULL;
  if (__atomic_compare_exchange_n(&pointer, (void *)&nothing, &word, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
    assert(nothing == NULL);
  }
  assert(__atomic_compare_exchange_n(&word, (void *)&expected, 1, 1, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST));
  return unused;
}

int main(void) {
  pthread_t thread;
  pthread_create(&thread, NULL, take, NULL);
  return pthread_join(thread, NULL);
}
END
# Its type is what it is without a macro.
cat >narrowed.cc <<'END'
struct Outcome {
  bool stored;
  int seen;
};
int word;
Outcome TryStore() {
  int expected = 1;
  return {__atomic_compare_exchange_n(&word, &expected, 2, true, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST), expected};
}
END
ends 0 'bool' jacquard-c++ -Wall -Wextra -pedantic -Werror -c narrowed.cc
# A macro sees the commas in braces and between a template's arguments.
cat >braces.c <<'END'
#include <assert.h>
#include <pthread.h>
struct head { void *first; unsigned long tag; } __attribute__((aligned(16)));
static struct head head;
static void *push(void *item) {
  struct head old = {0, 0};
  while (!__atomic_compare_exchange(&head, &old, &(struct head){item, old.tag + 1}, 1, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
  }
  return item;
}
int main(void) {
  pthread_t thread;
  pthread_create(&thread, 0, push, &thread);
  push(&head);
  pthread_join(thread, 0);
  return head.tag != 2;
}
END
cat >template.cc <<'END'
#include <thread>
template <int kFirst, int kSecond> constexpr int Sum() { return kFirst + kSecond; }
int word;
int main() {
  std::thread thread([] {
    int expected = 0;
    __atomic_compare_exchange_n(&word, &expected, Sum<1, 2>(), false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
  });
  thread.join();
  return word != 3;
}
END
ends 0 'braces' jacquard-cc -mcx16 -o braces braces.c
ends 0 'a template' jacquard-c++ -o template template.cc
for program in ./braces ./template; do JACQUARD_OPTIONS='executions=1000 status=report' ends 0 "$program" "$program"; done
ends 0 'void*' jacquard-cc -Wall -Wextra -Werror -o weak_void void_expected.c
for standard in c11 c17; do ends 0 "$standard" jacquard-cc "-std=$standard" -Wall -Wextra -Wpedantic -Werror -o "weak_$standard" weak.c; done
for standard in c++11 c++14 c++17 c++20; do
  ends 0 "$standard" jacquard-c++ "-std=$standard" -Wall -Wextra -Wpedantic -Wold-style-cast -Werror -o "weak_$standard" weak.cc
done
for program in weak_*; do
  ends 1 "$program" "./$program"
  says "$program" '^abort: assert'
  says "$program" 'fails spuriously'
done

# ---- shared libraries, partial links, threads before main

cat >library.cc <<'END'
#include <atomic>
#include <list>
#include <mutex>
static std::atomic<int> counter{0};
thread_local int calls = 0;
static std::list<int> list;
static std::mutex mutex;
int Count() { return ++counter; }
int Calls() { return ++calls; }
int Length() {
  std::lock_guard<std::mutex> guard(mutex);
  list.push_back(1);
  return static_cast<int>(list.size());
}
static std::once_flag once;
static std::atomic<int> initialisations{0};
static int* value;
int Value() {
  std::call_once(once, [] {
    value = new int(42);
    ++initialisations;
  });
  return *value + initialisations;
}
END
cat >begins_anew.cc <<'END'
#include <cassert>
#include <thread>
int Count();
int Calls();
int Length();
int Value();
int main() {
  std::thread thread([] {
    assert(Value() == 43);
    Count();
    Length();
    assert(Calls() == 1);
  });
  Count();
  Length();
  assert(Value() == 43);
  assert(Calls() == 1);
  thread.join();
  assert(Count() == 3 && Length() == 3);
}
END
ends 0 'a library with hooks' jacquard-c++ -shared -fPIC -o libanew.so library.cc
# As projects link that want to know what is undefined: the hooks are the program's.
ends 0 'a library without undefined names' jacquard-c++ -shared -fPIC -Wl,--no-undefined -o libanew.so library.cc
ends 0 'a program that uses it' jacquard-c++ -o begins_anew begins_anew.cc ./libanew.so
ends 0 'the variables of the library begin anew' ./begins_anew
ends 0 'an object' jacquard-c++ -c library.cc
ends 0 'a partial link' jacquard-c++ -r -o partial.o library.o
ends 0 'what is linked of it' jacquard-c++ -o partial begins_anew.cc partial.o
ends 0 'it runs' ./partial

cat >before_main.cc <<'END'
#include <atomic>
#include <thread>
std::atomic<bool> stop{false};
struct Worker {
  ~Worker() { stop = true; thread.join(); }
  std::thread thread{[] { while (!stop) std::this_thread::yield(); }};
} worker;
int main() { return 0; }
END
ends 0 'a thread before main' jacquard-c++ -o before_main before_main.cc
ends 2 'is refused' ./before_main
says 'it is named' 'the constructor of a global has started a thread'

# Names of the C library that programs take for functions and variables of their own.
cat >own_names.c <<'END'
#include <pthread.h>
int error = 3;
int err(int status) { return status - error; }
struct semaphore {
  pthread_mutex_t mutex;
  pthread_cond_t changed;
  int count;
} items = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0};
void wait(struct semaphore *it) {
  pthread_mutex_lock(&it->mutex);
  while (it->count == 0) pthread_cond_wait(&it->changed, &it->mutex);
  --it->count;
  pthread_mutex_unlock(&it->mutex);
}
void signal(struct semaphore *it) {
  pthread_mutex_lock(&it->mutex);
  ++it->count;
  pthread_cond_signal(&it->changed);
  pthread_mutex_unlock(&it->mutex);
}
int random = 0;
void send(int value) {
  random = value;
  signal(&items);
}
int read(void) {
  wait(&items);
  return random;
}
static void *work(void *unused) {
  send(3);
  return unused;
}
int main(void) {
  pthread_t thread;
  pthread_create(&thread, 0, work, 0);
  int value = read();
  pthread_join(thread, 0);
  return err(value);
}
END
cat >stops.c <<'END'
#include <err.h>
#include <pthread.h>
#include <stdlib.h>
static void *work(void *unused) {
  int *volatile block = malloc(sizeof *block);
  if (!block) errx(1, "no memory");
  free(block);
  return unused;
}
int main(void) {
  pthread_t thread;
  if (pthread_create(&thread, 0, work, 0) != 0) err(1, 0);
  return pthread_join(thread, 0);
}
END
ends 0 'own names' jacquard-cc -o own_names own_names.c
JACQUARD_OPTIONS='executions=1000 status=report' ends 0 'they run' ./own_names
says 'under schedules of all kinds' ' [1-9][0-9]+ distinct schedules'
JACQUARD_OPTIONS='executions=1000 status=report' ends 0 'they run with input from a pipe' ./own_names < <(echo 3)
ends 0 'a program that stops with a message' jacquard-cc -o stops stops.c
JACQUARD_OPTIONS='executions=100 allocations=may_fail' ends 0 'that is the end of an execution' ./stops
says 'the others go on' ' 100 executions'

cat >large.cc <<'END'
#include <atomic>
#include <cassert>
#include <thread>
struct Three { int a, b, c; };
int main() {
  std::atomic<Three> object{Three{0, 0, 0}};
  int data = 0;
  std::thread thread([&] {
    data = 1;
    object.store(Three{1, 1, 1}, std::memory_order_release);
  });
  assert(object.load(std::memory_order_acquire).c == 0 || data == 1);
  thread.join();
}
END
ends 0 'an atomic object of 12 bytes' jacquard-c++ -o large large.cc
ends 0 'publishes' ./large

# Where plain accesses are steps, a constructor's write of what says which class it is is one, whatever the stack has
# held there: each execution has as many.
cat >constructed.cc <<'END'
#include <thread>
struct Base {
  virtual void Use() {}
  long room[20];
};
__attribute__((noinline)) void Use(Base *base) { base->Use(); }
int main() {
  const auto work = [](int number) {
    Base base;
    base.room[1] = number;
    Use(&base);
  };
  std::thread a(work, 1), b(work, 2);
  a.join();
  b.join();
}
END
ends 0 'objects on stacks' jacquard-c++ -o constructed constructed.cc
ends 0 'their constructors' env JACQUARD_OPTIONS='executions=1000 races=ignore' ./constructed
says 'their constructors' '1000 executions, [0-9]+000 steps'

# A loop reads and writes what the program does, not what lies beside, nor before it is decided.
cat >loops.c <<'END'
#include <pthread.h>
static struct { short x, y; } pairs[64];
static int numbers[64], errors;
__attribute__((noinline)) static int Sum(int count) {
  int sum = 0;
  for (int i = 0; i < count; ++i) sum += pairs[i].x;
  return sum;
}
__attribute__((noinline)) static void Count(const int *from, int count) {
  for (int i = 0; i < count; ++i)
    if (from[i] < 0) ++errors;
}
static void *Write(void *nothing) {
  for (int i = 0; i < 64; ++i) pairs[i].y = 1;
  ++errors;
  return nothing;
}
int main(void) {
  pthread_t thread;
  pthread_create(&thread, 0, Write, 0);
  Count(numbers, 64);
  const int sum = Sum(64);
  pthread_join(thread, 0);
  return sum;
}
END
ends 0 'loops' jacquard-cc -O2 -o loops loops.c
ends 0 'they do not race' ./loops
sed 's/pairs\[i\].y = 1/pairs[i].x = 1/' loops.c >racing_loops.c
ends 0 'with what they read' jacquard-cc -O2 -o racing_loops racing_loops.c
ends 1 'that they race' ./racing_loops
says 'that they race' '^race: plain read and plain write'

# A static library that another compiler has made, as a test framework often is, writes to what it has allocated before
# main: in each execution anew.
cat >registry.cc <<'END'
#include <vector>
struct Suite {
  std::vector<int> tests;
};
static std::vector<Suite *> suites;
static const struct Constructed {
  Constructed() {
    suites.push_back(new Suite);
    suites[0]->tests.push_back(1);
    delete new Suite;
  }
} constructed;
int Register() {
  suites[0]->tests.push_back(2);
  return suites[0]->tests.size();
}
END
cat >registers.cc <<'END'
#include <cstdlib>
#include <thread>
int Register();
int main() {
  std::thread([] {}).join();
  if (Register() != 2 || Register() != 3) std::abort();
}
END
ends 0 'a library without hooks' "${JACQUARD_CXX:-clang++-19}" -c registry.cc
ends 0 'who uses it' jacquard-c++ -o registers registers.cc registry.o
ends 0 'what it has registered' env JACQUARD_OPTIONS=executions=200 ./registers

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

((failures == 0)) && echo 'all passed'
exit "$failures"
