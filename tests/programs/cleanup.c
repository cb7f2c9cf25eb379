/* Threads that leave by pthread_exit from within, with what they hold: cleanup handlers give it
   back, the inner one first, and then the values of a key. */
#include <assert.h>
#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>

#include "tests/programs/programs.h"

static bool is_broken;
static pthread_mutex_t outer = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t inner = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t key;
static int entered;
static int freed;

static void Unlock(void* mutex) { pthread_mutex_unlock(mutex); }

static void Free(void* block) {
  free(block);
  pthread_mutex_lock(&outer);
  ++freed;
  pthread_mutex_unlock(&outer);
}

static void MakeKey(void) { pthread_key_create(&key, Free); }

static void Deeper(void* result) {
  pthread_mutex_lock(&inner);
  pthread_cleanup_push(Unlock, &inner);
  const bool forgets = ++entered == 2 && is_broken;
  if (!forgets) pthread_exit(result);
  pthread_cleanup_pop(0);
  pthread_exit(result); /* the handler has been taken away, and what it was for is forgotten */
}

static void* Run(void* argument) {
  pthread_once(&once, MakeKey);
  pthread_setspecific(key, malloc(10));
  pthread_mutex_lock(&outer);
  pthread_cleanup_push(Unlock, &outer);
  Deeper(argument);
  pthread_cleanup_pop(0);
  return NULL;
}

void CleanUp(bool broken) {
  is_broken = broken;
  pthread_t threads[3];
  for (int i = 0; i < 3; ++i) pthread_create(&threads[i], NULL, Run, &threads[i]);
  for (int i = 0; i < 3; ++i) {
    void* result;
    pthread_join(threads[i], &result);
    assert(result == &threads[i]);
  }
  assert(entered == 3 && freed == 3);
}
