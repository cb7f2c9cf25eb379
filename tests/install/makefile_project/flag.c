/* C11 atomics: a flag publishes a value; BROKEN leaves out the order. */
#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>

#ifdef BROKEN
#define PUBLISH memory_order_relaxed
#else
#define PUBLISH memory_order_release
#endif

static _Atomic int value;
static _Atomic int flag;

static void *publish(void *unused) {
  (void)unused;
  atomic_store_explicit(&value, 1, memory_order_relaxed);
  atomic_store_explicit(&flag, 1, PUBLISH);
  return NULL;
}

int main(void) {
  pthread_t thread;
  pthread_create(&thread, NULL, publish, NULL);
  if (atomic_load_explicit(&flag, memory_order_acquire) == 1)
    assert(atomic_load_explicit(&value, memory_order_relaxed) == 1);
  pthread_join(thread, NULL);
  return 0;
}
