/* Variables of the C library that programs assign by themselves: each execution is to find them as
 * they were before main, not what the one before has left there. */
#define _GNU_SOURCE
#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tests/programs/programs.h"

static int changes;
static char** copy; /* setenv makes another one */

/* As those do that write their state where ps shows it: setproctitle. */
static void CopyEnvironment(void) {
  size_t count = 0;
  while (environ[count] != NULL) ++count;
  copy = malloc((count + 1) * sizeof(char*));
  /* But for what is changed below: setenv would lose a copy of that. */
  for (size_t i = 0; i < count; ++i)
    copy[i] = strncmp(environ[i], "TZ=", 3) != 0 ? strdup(environ[i]) : environ[i];
  copy[count] = NULL;
  environ = copy;
  program_invocation_name = strdup(program_invocation_name);
  program_invocation_short_name = strdup(program_invocation_short_name);
}

static void* ChangeZone(void* unused) {
  setenv("TZ", "XYZ-5", 1);
  tzset();
  ++changes;
  return unused;
}

void BorrowedVariables(bool broken) {
  /* Localtime as it was, whatever the zone: nobody has asked for another one yet. */
  const time_t noon = 43200;
  struct tm before;
  struct tm universal;
  localtime_r(&noon, &before);
  gmtime_r(&noon, &universal);
  assert(getenv("TZ") == NULL || strcmp(getenv("TZ"), "XYZ-5") != 0);
  assert(before.tm_gmtoff != 5 * 3600);

  CopyEnvironment();
  assert(getenv("PATH") != NULL);
  stderr = fopen("/dev/null", "w");
  fprintf(stderr, "%s\n", program_invocation_short_name);

  pthread_t thread;
  pthread_create(&thread, NULL, ChangeZone, NULL);
  if (broken) ++changes;
  pthread_join(thread, NULL);
  localtime_r(&noon, &before);
  assert(before.tm_gmtoff == 5 * 3600 && before.tm_hour == universal.tm_hour + 5);
}
