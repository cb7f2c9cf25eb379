/* C99 with POSIX threads: two threads count under a mutex; BROKEN forgets to lock it. */
#define _POSIX_C_SOURCE 200809L
#include <pthread.h>
#include <stdio.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static int counter;

static void *count(void *unused) {
  (void)unused;
#ifndef BROKEN
  pthread_mutex_lock(&mutex);
#endif
  ++counter;
#ifndef BROKEN
  pthread_mutex_unlock(&mutex);
#endif
  return NULL;
}

int main(int argc, char **argv) {
  pthread_t threads[2];
  for (int i = 0; i < 2; ++i) pthread_create(&threads[i], NULL, count, NULL);
  for (int i = 0; i < 2; ++i) pthread_join(threads[i], NULL);
  printf("%s: counted to %d\n", argc > 1 ? argv[1] : "counter", counter);
  return 0;
}
