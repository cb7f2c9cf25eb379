#!/bin/bash
# A weak compare-exchange may fail for no reason, wherever C and C++ name it.
#   weak_compare_exchange_test.sh INSTALLER RUNFILES...
set -u
. "$PWD/tests/install/checks.sh"

begin "${@:2}"
export JACQUARD_OPTIONS='executions=2000'

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
# Functions of both languages in a file, with warnings that are errors.
cat >linkage.cc <<'END'
#include <cassert>
#include <thread>

static int word;

static bool Take(int desired) {
  int expected = 0;
  return __atomic_compare_exchange_n(&word, &expected, desired, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}
extern "C" {
static bool TakeWeakly(int desired) {
  int expected = 0;
  return __atomic_compare_exchange_n(&word, &expected, desired, true, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}
}

int main() {
  assert(Take(0));
  std::thread thread([] { assert(TakeWeakly(2)); });
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
ends 0 'of both languages' jacquard-c++ -Wall -Wextra -pedantic -Werror -Wold-style-cast -Wzero-as-null-pointer-constant -std=c++17 linkage.cc -o linkage
ends 1 'failed assert' ./linkage
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
# What is expected has its own type's alignment, and not that of the atomic object.
cat >unaligned.cc <<'END'
#include <atomic>
#include <memory>
#include <thread>
struct Head { long count; void *node; };
struct Node { long value; Head next; };
std::atomic<Head> head;
int main() {
  const auto node = std::make_unique<Node>();
  std::thread thread([&node] {
    while (!head.compare_exchange_weak(node->next, {1, node.get()})) {
    }
  });
  thread.join();
  return head.load().node != node.get();
}
END
ends 0 'an expected value of 16 bytes' jacquard-c++ -O1 -mcx16 -o unaligned unaligned.cc -latomic
ends 0 'braces' jacquard-cc -mcx16 -o braces braces.c
ends 0 'a template' jacquard-c++ -o template template.cc
for program in ./braces ./template ./unaligned; do JACQUARD_OPTIONS='executions=1000 status=report' ends 0 "$program" "$program"; done
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

finish
