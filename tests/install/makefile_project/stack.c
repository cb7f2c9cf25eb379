/* A pointer with a tag beside it: atomic operations on 16 bytes, all of them hooked. */
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

struct node {
  struct node *next;
};
struct head {
  struct node *node;
  uintptr_t tag;
};

static _Atomic struct head head;

static void *push(void *node) {
  struct head old = atomic_load(&head), next;
  do {
    ((struct node *)node)->next = old.node;
    next = (struct head){node, old.tag + 1};
  } while (!atomic_compare_exchange_weak(&head, &old, next));
  return NULL;
}

int main(void) {
  struct node nodes[2];
  pthread_t thread;
  pthread_create(&thread, NULL, push, &nodes[0]);
  push(&nodes[1]);
  pthread_join(thread, NULL);
  const struct head last = atomic_load(&head);
  return last.tag != 2;
}
