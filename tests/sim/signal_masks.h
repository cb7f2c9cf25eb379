// What the calling thread blocks.
#ifndef JACQUARD_TESTS_SIM_SIGNAL_MASKS_H_
#define JACQUARD_TESTS_SIM_SIGNAL_MASKS_H_

#include <pthread.h>
#include <signal.h>

namespace jacquard {

inline bool Blocks(int signal) {
  sigset_t mask;
  sigemptyset(&mask);
  pthread_sigmask(SIG_BLOCK, nullptr, &mask);
  return sigismember(&mask, signal) == 1;
}

inline void Block(int signal, int how = SIG_BLOCK) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, signal);
  pthread_sigmask(how, &set, nullptr);
}

}  // namespace jacquard

#endif  // JACQUARD_TESTS_SIM_SIGNAL_MASKS_H_
