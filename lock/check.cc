#include "lock/check.h"

#include <cstdio>
#include <cstdlib>

namespace jacquard::lock {

void CheckFailed(const char* file, int line, const char* condition, const char* what) {
  std::fprintf(stderr, "%s:%d: %s (%s is false)\n", file, line, what, condition);
  std::abort();
}

}  // namespace jacquard::lock
