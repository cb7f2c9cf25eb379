// Descriptors of the harness, out of the way of the program, which gets the lowest ones that are
// free and may look at their numbers: they must not depend on what the harness has open.
#ifndef JACQUARD_SIM_OWN_DESCRIPTORS_H_
#define JACQUARD_SIM_OWN_DESCRIPTORS_H_

#include <fcntl.h>
#include <unistd.h>

namespace jacquard::sim {

constexpr int kAbove = 200;  // descriptors where programs do not look

// In place of `descriptor`, which may be negative, one for the same file up there, or the same if
// there is none. Outside of the program's code.
inline int MoveAbove(int descriptor) {
  if (descriptor < 0) return descriptor;
  const int above = fcntl(descriptor, F_DUPFD_CLOEXEC, kAbove);
  if (above < 0) return descriptor;
  close(descriptor);
  return above;
}

}  // namespace jacquard::sim

#endif  // JACQUARD_SIM_OWN_DESCRIPTORS_H_
