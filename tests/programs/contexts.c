/* Coroutines that switch stacks by themselves, two on each thread. */
#include <assert.h>
#include <pthread.h>
#include <stddef.h>
#include <ucontext.h>

#include "tests/programs/programs.h"

enum { kCoroutines = 2, kRounds = 2 };

struct Scheduler {
  ucontext_t main;
  ucontext_t coroutines[kCoroutines];
  char stacks[kCoroutines][16384];
  int running;
  int left;
};

static bool is_broken;
static struct Scheduler schedulers[2];
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static int total;

static void Body(int scheduler, int number) {
  struct Scheduler* const mine = &schedulers[scheduler];
  for (int i = 0; i < kRounds; ++i) {
    const bool locks = !is_broken || i == 0;
    if (locks) pthread_mutex_lock(&mutex);
    ++total;
    if (locks) pthread_mutex_unlock(&mutex);
    swapcontext(&mine->coroutines[number], &mine->main);
  }
  --mine->left;
}

static void* Run(void* argument) {
  struct Scheduler* const mine = argument;
  mine->left = kCoroutines;
  for (int i = 0; i < kCoroutines; ++i) {
    ucontext_t* const context = &mine->coroutines[i];
    getcontext(context);
    context->uc_stack.ss_sp = mine->stacks[i];
    context->uc_stack.ss_size = sizeof(mine->stacks[i]);
    context->uc_link = &mine->main;
    makecontext(context, (void (*)(void))Body, 2, (int)(mine - schedulers), i);
  }
  while (mine->left != 0)
    swapcontext(&mine->main, &mine->coroutines[mine->running++ % kCoroutines]);
  return NULL;
}

void Contexts(bool broken) {
  is_broken = broken;
  pthread_t threads[2];
  for (int i = 0; i < 2; ++i) pthread_create(&threads[i], NULL, Run, &schedulers[i]);
  for (int i = 0; i < 2; ++i) pthread_join(threads[i], NULL);
  assert(total == 2 * kCoroutines * kRounds);
}
