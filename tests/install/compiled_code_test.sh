#!/bin/bash
# Code that is what it is without the wrappers: names of its own, objects of odd sizes, constructors and loops.
#   compiled_code_test.sh INSTALLER RUNFILES...
set -u
. "$PWD/tests/install/checks.sh"

begin "${@:2}"
export JACQUARD_OPTIONS='executions=2000'

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

finish
