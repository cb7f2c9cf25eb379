#include "sim/message.h"

#include <sys/uio.h>
#include <unistd.h>

namespace jacquard::sim {
namespace {

int message_descriptor = STDERR_FILENO;

iovec Part(std::string_view text) { return {const_cast<char*>(text.data()), text.size()}; }

}  // namespace

void Warn(std::string_view text) {
  const iovec parts[] = {Part("jacquard: "), Part(text), Part("\n")};
  [[maybe_unused]] const ssize_t written = writev(message_descriptor, parts, 3);
}

void SetMessageDescriptor(int descriptor) { message_descriptor = descriptor; }

void Die(std::string_view text) {
  Warn(text);
  _exit(2);
}

}  // namespace jacquard::sim
