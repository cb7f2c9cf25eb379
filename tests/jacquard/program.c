// program [-n COUNT] [right|wrong|computes|exits STATUS]: an ordinary C11 program. Each of two
// threads adds COUNT to a global; "wrong" forgets that another may do so in between; "computes"
// never ends.
#include <assert.h>
#include <getopt.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static atomic_int total;
static int count = 1;
static int is_wrong = 0;
static int executions = 0;  // stays 1 when it is taken back each time

static void* Add(void* argument) {
  for (int i = 0; i < count; ++i) {
    if (is_wrong) {
      atomic_store(&total, atomic_load(&total) + 1);
    } else {
      atomic_fetch_add(&total, 1);
    }
  }
  return argument;
}

int main(int argc, char** argv) {
  if (++executions != 1 || optind != 1) return 9;
  for (int option; (option = getopt(argc, argv, "n:")) != -1;) {
    if (option != 'n') return 8;
    count = atoi(optarg);
  }
  const char* const what = optind < argc ? argv[optind] : "right";
  is_wrong = strcmp(what, "wrong") == 0;
  printf("executes %s\n", what);
  if (strcmp(what, "computes") == 0) {
    for (volatile int i = 0;; i = !i) continue;
  }
  pthread_t threads[2];
  for (int i = 0; i < 2; ++i) pthread_create(&threads[i], NULL, Add, NULL);
  if (strcmp(what, "exits") == 0) exit(atoi(argv[optind + 1]));
  for (int i = 0; i < 2; ++i) pthread_join(threads[i], NULL);
  argv[argc - 1][0] = '?';  // programs may do that
  assert(total == 2 * count);
  return 0;
}
