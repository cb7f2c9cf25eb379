/* Counts what is logged. In a shared library. */
#include <stdatomic.h>

static atomic_int lines;

int log_line(void) { return atomic_fetch_add(&lines, 1) + 1; }
