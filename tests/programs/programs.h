/* Small programs as people bring them. Each is right, and has a broken twin with one realistic
 * mistake. */
#ifndef JACQUARD_TESTS_PROGRAMS_PROGRAMS_H_
#define JACQUARD_TESTS_PROGRAMS_PROGRAMS_H_

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

void BorrowedVariables(bool broken); /* borrowed_variables.c */
void CleanUp(bool broken);           /* cleanup.c */
void Contexts(bool broken);          /* contexts.c */
void Coroutines(bool broken);        /* coroutines.cc */
void Dice(bool broken);              /* dice.cc */
void EventCount(bool broken);        /* event_count.cc */
void EventLoop(bool broken);         /* event_loop.cc */
void HazardPointers(bool broken);    /* hazard_pointers.cc */
void LibraryState(bool broken);      /* library_state.cc */
void LineServer(bool broken);        /* line_server.cc */
void ManyThreads(bool broken);       /* many_threads.c */
void PhaseFairLock(bool broken);     /* phase_fair_lock.cc */
void Streams(bool broken);           /* streams.cc */
void TaggedStack(bool broken);       /* tagged_stack.cc */
void Texts(bool broken);             /* texts.c */
void WordLists(bool broken);         /* word_lists.cc */
void WorkStealing(bool broken);      /* work_stealing.cc */

#ifdef __cplusplus
}
#endif

#endif /* JACQUARD_TESTS_PROGRAMS_PROGRAMS_H_ */
