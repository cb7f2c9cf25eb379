#include "sim/descriptor_streams.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <vector>

#include "sim/engine.h"
#include "sim/faults.h"
#include "sim/files.h"
#include "sim/open_files.h"
#include "sim/real.h"
#include "sim/real_output.h"
#include "sim/real_waits.h"

namespace jacquard::sim {
namespace {

struct DescriptorStream {
  int descriptor;
  FILE* stream = nullptr;
  char buffer[4096] = {};  // as much as the C library would have for such a file
};
constinit std::vector<DescriptorStream*> all;

const DescriptorStream& Of(void* cookie) { return *static_cast<DescriptorStream*>(cookie); }

ssize_t Read(void* cookie, char* buffer, size_t size) {
  return ReadFrom(Of(cookie).descriptor, buffer, size, CallOfProgram());
}

// What is left when the execution has ended goes where there is room.
ssize_t Write(void* cookie, const char* bytes, size_t size) {
  if (!engine.Simulates()) return WriteWithoutWait(Of(cookie).descriptor, bytes, size);
  return WriteTo(Of(cookie).descriptor, bytes, size, CallOfProgram());
}

int Close(void* cookie) {
  const DescriptorStream& mine = Of(cookie);
  const int descriptor = mine.descriptor;
  {
    const Backstage backstage;
    std::erase(all, &mine);
    delete &mine;
  }
  if (!engine.Simulates()) return 0;  // RestoreOpenFiles() knows which stay open
  return CloseFile(descriptor, reinterpret_cast<const void*>(CallOfProgram()));
}

bool IsWaitedFor(int descriptor) {
  struct stat status;
  return fstat(descriptor, &status) == 0 && (S_ISFIFO(status.st_mode) || S_ISSOCK(status.st_mode));
}

bool Allows(int descriptor, const char* mode) {
  const bool both = std::strchr(mode, '+') != nullptr;
  const int access = JACQUARD_REAL(fcntl)(descriptor, F_GETFL) & O_ACCMODE;
  const bool reads = both || *mode == 'r';
  const bool writes = both || *mode == 'w' || *mode == 'a';
  return (reads || writes) && !(reads && access == O_WRONLY) && !(writes && access == O_RDONLY);
}

}  // namespace

std::FILE* OpenDescriptorStream(int descriptor, const char* mode) {
  const Backstage backstage;
  if (!IsOpenedByProgram(descriptor) || !IsWaitedFor(descriptor) || !Allows(descriptor, mode))
    return nullptr;
  auto* const mine = new DescriptorStream{.descriptor = descriptor};
  mine->stream =
      fopencookie(mine, mode, {.read = Read, .write = Write, .seek = nullptr, .close = Close});
  if (mine->stream == nullptr) {
    delete mine;
    return nullptr;
  }
  setvbuf(mine->stream, mine->buffer, _IOFBF, sizeof(mine->buffer));
  all.push_back(mine);
  return mine->stream;
}

int DescriptorOfStream(const std::FILE* stream) {
  const auto found = std::find_if(
      all.begin(), all.end(), [=](const DescriptorStream* one) { return one->stream == stream; });
  return found == all.end() ? -1 : (*found)->descriptor;
}

}  // namespace jacquard::sim
