/* main PROGRAM [broken] executes one of them; without an argument it prints their names. */
#include <stdio.h>
#include <string.h>

#include "tests/programs/programs.h"

static const struct {
  const char* name;
  void (*run)(bool broken);
} kPrograms[] = {
    {"borrowed_variables", BorrowedVariables},
    {"clean_up", CleanUp},
    {"contexts", Contexts},
    {"coroutines", Coroutines},
    {"dice", Dice},
    {"event_count", EventCount},
    {"event_loop", EventLoop},
    {"hazard_pointers", HazardPointers},
    {"library_state", LibraryState},
    {"line_server", LineServer},
    {"many_threads", ManyThreads},
    {"phase_fair_lock", PhaseFairLock},
    {"streams", Streams},
    {"tagged_stack", TaggedStack},
    {"texts", Texts},
    {"word_lists", WordLists},
    {"work_stealing", WorkStealing},
};

int main(int argc, char** argv) {
  for (size_t i = 0; i < sizeof(kPrograms) / sizeof(kPrograms[0]); ++i) {
    if (argc == 1) puts(kPrograms[i].name);
    if (argc == 1 || strcmp(argv[1], kPrograms[i].name) != 0) continue;
    kPrograms[i].run(argc > 2 && strcmp(argv[2], "broken") == 0);
    return 0;
  }
  return argc == 1 ? 0 : 2;
}
