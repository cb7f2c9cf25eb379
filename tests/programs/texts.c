/* Global variables that the C library writes: each execution is to find them as they were. */
#include <assert.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/programs/programs.h"

static bool is_broken;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static char words[] = "warp,weft,card";
static int numbers[] = {5, 3, 4, 1, 2};
static char text[16];
static int parsed;

static int Compare(const void* a, const void* b) { return *(const int*)a - *(const int*)b; }

static void* Run(void* argument) {
  (void)argument;
  pthread_mutex_lock(&mutex);
  const size_t length = strlen(text);
  if (is_broken) {
    pthread_mutex_unlock(&mutex);
    pthread_mutex_lock(&mutex);
  }
  snprintf(text + length, sizeof(text) - length, "%d;", numbers[0]);
  qsort(numbers, 5, sizeof(int), Compare);
  pthread_mutex_unlock(&mutex);
  return NULL;
}

void Texts(bool broken) {
  is_broken = broken;
  assert(numbers[0] == 5 && text[0] == 0 && parsed == 0);
  sscanf("12", "%d", &parsed);
  int count = 0;
  for (char* word = strtok(words, ","); word != NULL; word = strtok(NULL, ",")) ++count;
  assert(count == 3 && parsed == 12);
  pthread_t threads[2];
  for (int i = 0; i < 2; ++i) pthread_create(&threads[i], NULL, Run, NULL);
  for (int i = 0; i < 2; ++i) pthread_join(threads[i], NULL);
  assert(strcmp(text, "5;1;") == 0);
}
