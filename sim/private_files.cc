#include "sim/private_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/wait.h>
#include <unistd.h>

#include <charconv>
#include <cstdio>
#include <string_view>

#include "sim/engine.h"
#include "sim/files.h"
#include "sim/real.h"

namespace jacquard::sim {
namespace {

// A child has all descriptors that are not closed for it.
bool HasChildren() {
  siginfo_t child = {};
  return JACQUARD_REAL(waitid)(P_ALL, 0, &child, WEXITED | WNOHANG | WNOWAIT) == 0 ||
         errno != ECHILD;
}

// Of a pair: what has been bound or connected by name has the name at one end.
bool IsPairOfSockets(int descriptor) {
  sockaddr_storage address = {};
  for (const auto& ask : {getsockname, getpeername}) {
    socklen_t length = sizeof(address);
    if (ask(descriptor, reinterpret_cast<sockaddr*>(&address), &length) != 0 ||
        address.ss_family != AF_UNIX || length != sizeof(sa_family_t))
      return false;
  }
  return true;
}

// The text of a small file of /proc.
class ProcText {
 public:
  explicit ProcText(const char* path) {
    const int file = JACQUARD_REAL(open)(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return;
    const ssize_t size = JACQUARD_REAL(read)(file, bytes_, sizeof(bytes_));
    size_ = size < 0 ? 0 : static_cast<size_t>(size);
    JACQUARD_REAL(close)(file);
  }
  // Whether that is all of it.
  bool complete() const { return size_ < sizeof(bytes_); }
  std::string_view text() const { return {bytes_, size_}; }

 private:
  char bytes_[1 << 12];
  size_t size_ = 0;
};

bool WatchesOnlyPrivateFiles(int epoll) {
  char path[64];
  std::snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", epoll);
  const ProcText info(path);
  bool any = false;
  constexpr std::string_view kTarget = "tfd:";
  for (size_t at = info.text().find(kTarget); at != std::string_view::npos;
       at = info.text().find(kTarget, at)) {
    at = info.text().find_first_not_of(' ', at + kTarget.size());
    if (at == std::string_view::npos) return false;
    int target = -1;
    const std::string_view rest = info.text().substr(at);
    std::from_chars(rest.data(), rest.data() + rest.size(), target);
    if (target == epoll || !IsPrivateFile(target)) return false;
    any = true;
  }
  return any && info.complete();
}

}  // namespace

bool IsPrivateFile(int descriptor) {
  if (!IsOpenedByExecution(descriptor) || HasChildren()) return false;
  char path[64];
  std::snprintf(path, sizeof(path), "/proc/self/fd/%d", descriptor);
  char name[64];
  const ssize_t length = readlink(path, name, sizeof(name));
  const std::string_view kind(name, length < 0 ? 0 : static_cast<size_t>(length));
  if (kind.starts_with("socket:")) return IsPairOfSockets(descriptor);
  if (kind == "anon_inode:[eventpoll]") return WatchesOnlyPrivateFiles(descriptor);
  return kind == "anon_inode:[eventfd]" || kind.starts_with("pipe:");
}

void NoteSentFiles(int socket, const msghdr& message) {
  if (message.msg_control == nullptr || !engine.Simulates()) return;
  const Backstage backstage;
  if (!IsPrivateFile(socket)) NoteFilesShared();
}

}  // namespace jacquard::sim
