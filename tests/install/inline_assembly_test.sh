#!/bin/bash
# Inline assembly in what the wrappers compile: locks and fences are seen, time stamps are the simulation's, and of the rest
# they warn.
#   inline_assembly_test.sh INSTALLER RUNFILES...
set -u
. "$PWD/tests/install/checks.sh"

begin "${@:2}"

# ---- locks in inline assembly

cat >assembly.c <<'END'
#include <pthread.h>
#include <emmintrin.h>
static union { unsigned char taken; int word; } lock;
static int next, guarded;
static void *Work(void *unused) {
  int ticket = 1;
  unsigned char mine = 1;
#ifdef INTEL
  __asm__ volatile("lock xadd %1, %0" : "+r"(ticket), "+m"(next) : : "memory", "cc");
  do __asm__ volatile("xchg %1, %0" : "+q"(mine), "+m"(lock.taken) : : "memory");
#else
  __asm__ volatile("lock; xaddl %0, %1" : "+r"(ticket), "+m"(next) : : "memory", "cc");
  do __asm__ volatile("xchgb %0, %1" : "+q"(mine), "+m"(lock.taken) : : "memory");
#endif
  while (mine != 0);
  guarded += ticket + 1;
#ifndef LEFT
  _mm_mfence();
#ifdef INTEL
  __asm__ volatile("lock btr dword ptr %0, 0" : "+m"(lock.word) : : "memory", "cc");
#else
  __asm__ volatile("lock\n\tbtrl $0, %0" : "+m"(lock.word) : : "memory", "cc");
#endif
#endif
  return unused;
}
int main(void) {
  pthread_t threads[3];
  for (int i = 0; i < 3; ++i) pthread_create(&threads[i], 0, Work, 0);
  for (int i = 0; i < 3; ++i) pthread_join(threads[i], 0);
  return guarded != 6;
}
END
for way in '-O0' '-O2 -Wall -Werror' '-O2 -masm=intel -DINTEL' '-flto' '-fPIC'; do
  ends 0 "a lock in assembly, $way" jacquard-cc $way -o assembly assembly.c
  grep -q 'warning' "$log" && fail "it warns of assembly that is seen, $way"
  ends 0 "a lock in assembly, $way" env JACQUARD_OPTIONS='executions=3000 status=report' ./assembly
done
ends 0 'a lock that is left out' jacquard-cc -O2 -DLEFT -o left assembly.c
ends 1 'a lock that is left out' env JACQUARD_OPTIONS='executions=3000' ./left
says 'a lock that is left out' '^deadlock: '
sed 's/int main/int Main/' assembly.c >part.c
printf 'int Main(void);\nint main(void) { return Main(); }\n' >whole.c
ends 0 'assembly in a library' jacquard-cc -shared -fPIC -o libpart.so part.c
ends 0 'assembly in a library' jacquard-cc -o whole whole.c ./libpart.so
ends 0 'assembly in a library' env JACQUARD_OPTIONS='executions=3000' ./whole

# Where the dynamic linker binds a name at its first call, registers and flags stay what they are, too.
cat >kept.c <<'END'
int Kept(int a, int b) {
  register long high __asm__("r11") = a;
  int word = 0, equal = 0;
  __asm__ volatile("" : "+r"(high));
#if CASE == 0
  __asm__ volatile("cmpl %3, %2\n\tmovl $0, %0\n\tsete %b1" : "=m"(word), "+q"(equal) : "r"(a), "r"(b) : "cc");
#elif CASE == 1
  __asm__ volatile("lock; incl %0" : "+m"(word) : : "cc");
#elif CASE == 2
  __asm__ volatile("mfence" ::: "memory");
#endif
  __asm__ volatile("" : "+r"(high));
  return high == a && (CASE != 0 || equal == (a == b));
}
END
cat >keeps.c <<'END'
#include <pthread.h>
int Kept(int, int);
static void *Work(void *kept) { return Kept(3, 3) ? kept : 0; }
int main(void) {
  pthread_t thread;
  void *kept;
  pthread_create(&thread, 0, Work, &kept);
  pthread_join(thread, &kept);
  return kept == 0 || !Kept(4, 5);
}
END
for case in 0 1 2; do
  ends 0 "a late binding, $case" jacquard-cc -O2 -DCASE=$case -shared -fPIC -Wl,-z,lazy -o libkept.so kept.c
  ends 0 "a late binding, $case" jacquard-cc -O2 -o keeps keeps.c ./libkept.so
  ends 0 "a late binding, $case" env JACQUARD_OPTIONS='executions=300 status=report' ./keeps
done

# The header's own names are in nobody's way, and a module's declaration is the first thing in its file.
ends 0 'names of the program' jacquard-cc -Dlow=1 -Dhigh=2 -Dprocessor=3 -Dstatic= -c whole.c
printf 'export module simple;\nexport int Two() { return 2; }\n' >simple.cppm
ends 0 'a module' jacquard-c++ -std=c++20 -Werror --precompile -o simple.pcm simple.cppm
printf 'import simple;\n#include <thread>\nint main() { std::thread([] { Two(); }).join(); }\n' >imports.cc
ends 0 'its object' jacquard-c++ -std=c++20 -c simple.pcm
ends 0 'who imports it' jacquard-c++ -std=c++20 -fmodule-file=simple=simple.pcm -c imports.cc
ends 0 'both' jacquard-c++ -o imports imports.o simple.o
ends 0 'their run' env JACQUARD_OPTIONS=executions=10 ./imports

# ---- what the processor alone knows

# Time stamps are the simulation's: who decides by them decides as before when an execution is repeated. Nothing else changes
# in the registers.
cat >clock.c <<'END'
#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <x86intrin.h>

static unsigned long long Now(void) {
#ifdef INTRINSICS
  unsigned processor;
  const unsigned long long before = __rdtsc();
  return __rdtscp(&processor) > before && processor == 0 ? __builtin_readcyclecounter() : 0;
#else
  unsigned low, high;
  __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
  return (unsigned long long)high << 32 | low;
#endif
}

static atomic_int rounds, lock_word;
static double sum;

// Nothing but a time stamp stands between the products and their sum: all are in registers meanwhile.
static __attribute__((noinline)) double Sum(double a) {
  const double b = a * 2, c = a * 3, d = a * 4, e = a * 5, f = a * 6, g = a * 7, h = a * 8;
  const double i = a * 9, j = a * 10, k = a * 11, l = a * 12, m = a * 13, n = a * 14;
  const double o = Now() != 0 ? 1 : 0;
  return a + (b + (c + (d + (e + (f + (g + (h + (i + (j + (k + (l + (m + n * o))))))))))));
}

static void* Work(void* argument) {
  const double factor = *(const double*)argument;
  for (const unsigned long long begin = Now(); Now() - begin < 20000;) ++rounds;
  const double mine = Sum(factor);
  while (atomic_exchange(&lock_word, 1) != 0) {
    for (const unsigned long long begin = Now(); Now() - begin < 3000;) _mm_pause();
  }
  sum += mine;
  atomic_store(&lock_word, 0);
  return 0;
}

int main(void) {
  double factors[] = {2, 3};
  pthread_t threads[2];
  for (int i = 0; i < 2; ++i) pthread_create(&threads[i], 0, Work, &factors[i]);
  for (int i = 0; i < 2; ++i) pthread_join(threads[i], 0);
  assert(sum == 105 * (2 + 3));
  return 0;
}
END
for way in '-O0' '-O2' '-O2 -DINTRINSICS' '-O0 -DINTRINSICS -Wall -Wextra -pedantic -Werror -std=c11' '-O2 -masm=intel' '-flto'; do
  ends 0 "time stamps, $way" jacquard-cc $way -o clock clock.c
  grep -q 'warning' "$log" && fail "it warns of time stamps, $way"
  ends 0 "time stamps, $way" env JACQUARD_OPTIONS='executions=3000' ./clock
done
printf 'unsigned long long Now(void) { return __builtin_ia32_rdtsc(); }\n' >now.c
printf 'unsigned long long Now(void);\nint main(void) { return Now() >= Now(); }\n' >later.c
ends 0 'time stamps in a library' jacquard-cc -shared -fPIC -o libnow.so now.c
ends 0 'time stamps in a library' jacquard-cc -o later later.c ./libnow.so
ends 0 'time stamps in a library' env JACQUARD_OPTIONS='executions=10 status=report' ./later
printf 'static inline int __rdtsc(void) { return 3; }\nint main(void) { return __rdtsc() == 0; }\n' >own.c
ends 0 'a function of that name' jacquard-cc -Wno-all -o own own.c

# A pause would take its time, and is none here.
cat >pauses.c <<'END'
#include <immintrin.h>
#include <pthread.h>
extern void _mm_pause(void);
static void* Wait(void* argument) {
  for (int i = 0; i < 3; ++i) {
    _mm_pause();
    __builtin_ia32_pause();
    __asm__ volatile("pause" ::: "memory");
  }
  return argument;
}
int main(void) {
  pthread_t thread;
  pthread_create(&thread, 0, Wait, 0);
  return pthread_join(thread, 0);
}
END
for way in '-O0' '-O2' '-masm=intel'; do
  ends 0 "pauses, $way" jacquard-cc $way -c pauses.c
  [[ $(objdump -d pauses.o | grep -c '66 90') -ge 3 ]] || fail "pauses, $way: they are not there"
  objdump -d pauses.o | grep -q 'pause$' && fail "pauses, $way: one takes its time"
done

# Intrinsics stand wherever a function's call may.
cat >anywhere.cc <<'END'
#include <x86intrin.h>
#include <cassert>
#include <thread>
struct Measured {
  unsigned processor = 1;
  unsigned long long begin = __rdtsc();
  unsigned long long end = __rdtscp(&processor);
};
unsigned long long before_main = __rdtsc();
const auto fence = [](unsigned long long now = __builtin_ia32_rdtsc()) noexcept(noexcept(_mm_mfence())) {
  return (::_mm_sfence(), _mm_lfence(), now);
};
int main() {
  Measured measured;
  std::thread other([] { ::_mm_mfence(); });
  other.join();
  assert(before_main <= measured.begin && measured.begin < measured.end && measured.end < fence());
  return measured.processor != 0 ? (_mm_mfence(), 1) : 0;
}
END
for way in '-std=c++17 -O0 -Wall -Wextra -pedantic -Werror' '-std=c++20 -O2'; do
  ends 0 "intrinsics anywhere, $way" jacquard-c++ $way -o anywhere anywhere.cc
  ends 0 "intrinsics anywhere, $way" env JACQUARD_OPTIONS='executions=300' ./anywhere
done

# An assembler's own files are looked at, whether they are linked at once or not.
: >add.h
for file in add.s add.S; do
  {
    [[ $file == add.s ]] || echo '#include "add.h"'
    printf '.globl Add\nAdd:\n  movl $1, %%eax\n  lock xaddl %%eax, (%%rdi)\n  ret\n.section .note.GNU-stack, "", @progbits\n'
  } >"$file"
  echo 'int Add(int *); int main(void) { static int x; return Add(&x); }' >adds.c
  ends 0 "$file" jacquard-cc -c "$file" -o add.o
  says "$file" "warning: $file: atomic instructions"
  says "$file" 'Add: lock xadd'
  ends 0 "$file at once" jacquard-cc -o adds adds.c "$file"
  says "$file at once" "warning: $file: atomic instructions"
done

# By way of an assembler's text all of the compiler's own instructions would be taken for assembly: none is seen.
cp assembly.c text.c
ends 0 'a text for an assembler' jacquard-cc -O1 -S text.c
grep -q jacquard_inline text.s && fail 'a text for an assembler has calls'
ends 0 'files in between are kept' jacquard-cc -O1 -save-temps -c text.c
says 'files in between are kept' 'text.c: atomic instructions or fences that no hook stands for'

# Of the rest the wrapper warns.
cat >drawn.c <<'END'
static int rdtsc;
int Drawn(void) { return ++rdtsc; }
int Draw(void) {
  int drawn;
  __asm__ volatile("rdrand %0" : "=r"(drawn));
  return drawn;
}
END
ends 0 'random numbers' jacquard-cc -c drawn.c
says 'random numbers' 'drawn.c: asks the processor for the time, counters or random numbers'
says 'random numbers' '  Draw: rdrand$'
[[ $(grep -c ': rd' "$log") -eq 1 ]] || fail 'it warns of more than random numbers'

finish
