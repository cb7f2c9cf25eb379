/* More threads than fit into one word. */
#include <assert.h>
#include <pthread.h>
#include <stddef.h>

#include "tests/programs/programs.h"

enum { kThreads = 80 };

static bool is_broken;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static int count;

static void* Run(void* argument) {
  const bool locks = !is_broken || argument != NULL;
  if (locks) pthread_mutex_lock(&mutex);
  ++count;
  if (locks) pthread_mutex_unlock(&mutex);
  return NULL;
}

void ManyThreads(bool broken) {
  is_broken = broken;
  pthread_t threads[kThreads];
  for (long i = 0; i < kThreads; ++i)
    pthread_create(&threads[i], NULL, Run, (void*)(kThreads - 1 - i));
  for (int i = 0; i < kThreads; ++i) pthread_join(threads[i], NULL);
  assert(count == kThreads);
}
