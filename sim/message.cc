#include "sim/message.h"

#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cstdint>

#include "sim/real.h"

namespace jacquard::sim {
namespace {

int message_descriptor = STDERR_FILENO;

iovec Part(std::string_view text) { return {const_cast<char*>(text.data()), text.size()}; }

}  // namespace

void Warn(std::string_view text) {
  const iovec parts[] = {Part("jacquard: "), Part(text), Part("\n")};
  RawSyscall(SYS_writev, static_cast<uint64_t>(message_descriptor),
             reinterpret_cast<uint64_t>(parts), 3);
}

void SetMessageDescriptor(int descriptor) { message_descriptor = descriptor; }

void Die(std::string_view text) {
  Warn(text);
  // Not exit(), which may be taken for the program's.
  for (;;) RawSyscall(SYS_exit_group, 2);
}

}  // namespace jacquard::sim
