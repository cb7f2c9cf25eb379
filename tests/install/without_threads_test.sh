#!/bin/bash
# Programs that never make a second thread: without options they run once, to their own end.
#   without_threads_test.sh INSTALLER RUNFILES...
set -u
. "$PWD/tests/install/checks.sh"

begin "${@:2}"
unset JACQUARD_OPTIONS

once='no second thread: this program has run once, as it is'
# as_it_is STATUS NAME PROGRAM: its status, and what it prints, once.
as_it_is() {
  ends "$1" "$2" "${@:3}"
  says "$2" "$once"
}
echo 'int main(void) { return 3; }' >status.c
ends 0 'a program without threads' jacquard-cc status.c
as_it_is 3 'its status' ./a.out
for function in exit _exit _Exit quick_exit; do
  printf '#define _GNU_SOURCE\n#include <stdlib.h>\n#include <unistd.h>\nint main(void) { %s(77); }\n' "$function" >ends.c
  ends 0 "with $function" jacquard-cc -o ends ends.c
  as_it_is 77 "$function" ./ends
done
cat >to_the_end.cc <<'END'
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <mutex>
#include <vector>
std::ofstream file("to_the_end.txt");
struct Global {
  ~Global() {
    std::lock_guard lock(mutex);
    values.push_back(1);
    std::puts("global");
  }
  std::mutex mutex;
  std::vector<int> values;
} global;
thread_local struct OfThread {
  ~OfThread() { std::puts("of the thread"); }
  int value = 1;
} of_thread;
int main() {
  static const auto shared = std::make_shared<std::atomic<int>>(4);
  global.values.resize(100);
  of_thread.value += *shared;
  file << "written";
  std::atexit([] { std::puts("at exit"); });
  static const struct Static {
    ~Static() { std::puts("static"); }
  } last;
  return of_thread.value;
}
END
ends 0 'a program with an end' jacquard-c++ -o to_the_end to_the_end.cc
as_it_is 5 'goes to its end' ./to_the_end
[[ $(./to_the_end 2>/dev/null | tr '\n' ,) == 'of the thread,static,at exit,global,' ]] || fail "the order is another"
[[ $(cat to_the_end.txt) == written ]] || fail 'the file is empty'
ends 0 'with options it is explored' env JACQUARD_OPTIONS=executions=10 ./to_the_end
says 'with options it is explored' '^jacquard: 10 executions'
cat >registers.c <<'END'
#define _GNU_SOURCE
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
static int numbers[] = {1, 2};
static void WithStatus(int status, void *number) { printf("on exit %d with %d\n", *(int *)number, status); }
static void Quick(void) { puts("quick"), fflush(stdout); }
static void *Count(void *number) { return ++*(int *)number, NULL; }
static void Start(void) {
  pthread_t thread;
  pthread_create(&thread, NULL, Count, &numbers[1]);
  pthread_join(thread, NULL);
}
int main(int argc, char **argv) {
  at_quick_exit(Quick);
  on_exit(WithStatus, &numbers[0]);
  on_exit(WithStatus, &numbers[1]);
  if (argc == 2) quick_exit(8);
  if (argc == 3) atexit(Start);
  exit(9);
}
END
ends 0 'a program that registers' jacquard-cc -o registers registers.c
as_it_is 9 'what it has registered' ./registers
[[ $(./registers 2>/dev/null | tr '\n' ,) == 'on exit 2 with 9,on exit 1 with 9,' ]] || fail "that is something else"
as_it_is 8 'what it has for a quick exit' ./registers quick
[[ $(./registers quick 2>/dev/null) == quick ]] || fail "that, too"
ends 0 'a thread that it starts at its end' bash -c './registers with thread >/dev/null'
says 'a thread that it starts at its end' '^jacquard: [0-9]* executions'
printf '#include <stdlib.h>\nint main(void) { char *p = malloc(5); p = realloc(p, 100); return !p; }\n' >leaks.c
ends 0 'a program that leaks' jacquard-cc -o leaks leaks.c
as_it_is 0 'which is its own affair' ./leaks
# Neither the ten seconds nor the thirty million steps that an execution has are for it; nor is it a livelock where it gets
# on in a way that nobody sees.
cat >takes_long.cc <<'END'
#include <sched.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
std::atomic<long> number;
int main() {
  if (std::getchar() != 'x') return 7;
  const int file = fileno(std::tmpfile());
  while (lseek(file, 1, SEEK_CUR) < 9'000'000) sched_yield();
  while (++number < 31'000'000) {
  }
  return 6;
}
END
ends 0 'a program that takes long' jacquard-c++ -o takes_long takes_long.cc
as_it_is 6 'takes its time' ./takes_long < <(sleep 11; echo x)
ends 1 'unless steps are what it is asked for' env JACQUARD_OPTIONS='executions=1 max_steps=1000000' ./takes_long <<<x
says 'unless steps are what it is asked for' '^livelock: no progress: did not end within 1000000 steps'
# What cannot be simulated is told, whatever would come behind.
cat >forks.c <<'END'
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>
static int number;
static void *Count(void *nothing) { return ++number, nothing; }
int main(void) {
  const pid_t child = fork();
  if (child == 0) _exit(0);
  waitpid(child, 0, 0);
  pthread_t a, b;
  pthread_create(&a, 0, Count, 0);
  pthread_create(&b, 0, Count, 0);
  pthread_join(a, 0);
  pthread_join(b, 0);
  return 0;
}
END
ends 0 'a program that forks' jacquard-cc -o forks forks.c
ends 2 'its run' ./forks
says 'its run' '^unsupported: fork'

finish
