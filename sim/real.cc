#include "sim/real.h"

#include <dlfcn.h>

#include <string>

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
