// Whether the program runs in one of Valgrind's tools, which do without some of what it uses.
#ifndef JACQUARD_SIM_VALGRIND_H_
#define JACQUARD_SIM_VALGRIND_H_

#include <cstdlib>
#include <cstring>

namespace jacquard::sim {

// By the library that Valgrind loads into every program.
inline bool RunsInValgrind() {
  const char* const preloaded = std::getenv("LD_PRELOAD");
  return preloaded != nullptr && std::strstr(preloaded, "/vgpreload_core") != nullptr;
}

}  // namespace jacquard::sim

#endif  // JACQUARD_SIM_VALGRIND_H_
