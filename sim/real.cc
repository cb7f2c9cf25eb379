#include "sim/real.h"

#include <dlfcn.h>
#include <signal.h>

#include <string>

#include "sim/execute.h"
#include "sim/message.h"

namespace jacquard::sim {

void* FindReal(const char* name) {
  void* const function = dlsym(RTLD_NEXT, name);
  if (function == nullptr) Die(std::string("the C library has no function ") + name);
  return function;
}

namespace real {

int pthread_create(pthread_t* thread, const pthread_attr_t* attributes, void* (*start)(void*),
                   void* argument) {
  return JACQUARD_REAL(pthread_create)(thread, attributes, start, argument);
}

}  // namespace real
}  // namespace jacquard::sim

void jacquard::LeaveSignalsToProgram() {
  sigset_t blocked;
  sigfillset(&blocked);
  for (const int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGHUP, SIGINT, SIGQUIT, SIGTERM})
    sigdelset(&blocked, signal);
  JACQUARD_REAL(pthread_sigmask)(SIG_BLOCK, &blocked, nullptr);
}
