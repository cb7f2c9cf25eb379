// exits [lost|serves|keeps|leaks|late]: a program that ends by exit(), or with a thread that still
// runs.
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int ready = 0;
static atomic_int started = 0;

static void Await(void) {
  pthread_mutex_lock(&mutex);
  while (!ready) pthread_cond_wait(&changed, &mutex);
  pthread_mutex_unlock(&mutex);
}

// Tells nobody.
static void* SetReady(void* argument) {
  pthread_mutex_lock(&mutex);
  ready = 1;
  pthread_mutex_unlock(&mutex);
  return argument;
}

// Frees its argument, if it gets so far.
static void* Work(void* argument) {
  char* const block = malloc(30);
  if (block == NULL) return NULL;
  block[0] = 1;
  for (int i = 0; i < 5; ++i) atomic_fetch_add(&started, 1);
  free(block);
  free(argument);
  return NULL;
}

// Nobody waits for it: it may run before the program has ended, or not.
static void* RunLate(void* argument) {
  abort();
  return argument;
}

static void* Serve(void* argument) {
  pthread_mutex_lock(&mutex);
  for (;;) pthread_cond_wait(argument, &mutex);
}

int main(int argc, char** argv) {
  const char* const what = argc > 1 ? argv[1] : "keeps";
  pthread_t thread;
  if (strcmp(what, "lost") == 0) {
    pthread_create(&thread, NULL, SetReady, NULL);
    Await();
    exit(0);
  }
  if (strcmp(what, "serves") == 0) {
    static pthread_cond_t asked = PTHREAD_COND_INITIALIZER;
    pthread_create(&thread, NULL, Serve, &asked);
    pthread_detach(thread);
    pthread_create(&thread, NULL, SetReady, NULL);
    Await();
    return 0;
  }
  if (strcmp(what, "late") == 0) {
    pthread_create(&thread, NULL, RunLate, NULL);
    if (argc > 2) exit(0);
    return 0;
  }
  char* volatile mine = malloc(20);
  pthread_create(&thread, NULL, Work, malloc(10));
  for (int i = 0; i < 10; ++i) atomic_fetch_add(&started, 1);
  if (strcmp(what, "leaks") == 0) mine = NULL;
  exit(mine == argv[0]);
}
