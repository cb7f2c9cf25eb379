// Calls that read or write at a place of a file that they are told: steps, before each of which
// another thread may run (descriptors.h). They do not wait.
#include <sys/uio.h>
#include <unistd.h>

#include "sim/descriptors.h"
#include "sim/real.h"
#include "sim/sync.h"

using jacquard::sim::DescriptorCall;

extern "C" {

// The C library's own; no header declares them for everybody.
ssize_t __pread_chk(int, void*, size_t, off_t, size_t);
ssize_t __pread64_chk(int, void*, size_t, off64_t, size_t);

#define JACQUARD_STEP_AT_PLACE(EFFECT, NAME, PARAMETERS, ARGUMENTS)                   \
  ssize_t NAME PARAMETERS {                                                           \
    const DescriptorCall call(file, DescriptorCall::Effect::EFFECT, JACQUARD_CALLER); \
    return JACQUARD_REAL(NAME) ARGUMENTS;                                             \
  }

JACQUARD_STEP_AT_PLACE(kTakes, pread, (int file, void* buffer, size_t size, off_t place),
                       (file, buffer, size, place))
JACQUARD_STEP_AT_PLACE(kTakes, pread64, (int file, void* buffer, size_t size, off64_t place),
                       (file, buffer, size, place))
JACQUARD_STEP_AT_PLACE(kTakes, preadv, (int file, const iovec* parts, int count, off_t place),
                       (file, parts, count, place))
JACQUARD_STEP_AT_PLACE(kTakes, preadv64, (int file, const iovec* parts, int count, off64_t place),
                       (file, parts, count, place))
JACQUARD_STEP_AT_PLACE(kTakes, __pread_chk,
                       (int file, void* buffer, size_t size, off_t place, size_t room),
                       (file, buffer, size, place, room))
JACQUARD_STEP_AT_PLACE(kTakes, __pread64_chk,
                       (int file, void* buffer, size_t size, off64_t place, size_t room),
                       (file, buffer, size, place, room))
JACQUARD_STEP_AT_PLACE(kGives, pwrite, (int file, const void* bytes, size_t size, off_t place),
                       (file, bytes, size, place))
JACQUARD_STEP_AT_PLACE(kGives, pwrite64, (int file, const void* bytes, size_t size, off64_t place),
                       (file, bytes, size, place))
JACQUARD_STEP_AT_PLACE(kGives, pwritev, (int file, const iovec* parts, int count, off_t place),
                       (file, parts, count, place))
JACQUARD_STEP_AT_PLACE(kGives, pwritev64, (int file, const iovec* parts, int count, off64_t place),
                       (file, parts, count, place))

}  // extern "C"
