#include "sim/private_files.h"

#include <errno.h>
#include <sys/wait.h>

#include <string_view>

#include "sim/engine.h"
#include "sim/files.h"
#include "sim/proc_files.h"
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

bool WatchesOnlyPrivateFiles(int epoll) {
  bool any = false;
  bool all = true;
  const bool complete = ForEachWatched(epoll, [&](int descriptor) {
    any = true;
    all = all && IsPrivateFile(descriptor);
  });
  return complete && any && all;
}

}  // namespace

bool IsPrivateFile(int descriptor) {
  if (!IsOpenedByExecution(descriptor) || HasChildren()) return false;
  const OpenFileName name(descriptor);
  const std::string_view kind = name.text();
  if (kind.starts_with("socket:")) return IsPairOfSockets(descriptor);
  if (name.IsEpoll()) return WatchesOnlyPrivateFiles(descriptor);
  return kind == "anon_inode:[eventfd]" || kind.starts_with("pipe:");
}

void NoteSentFiles(int socket, const msghdr& message) {
  if (message.msg_control == nullptr || !engine.Simulates()) return;
  const Backstage backstage;
  if (!IsPrivateFile(socket)) NoteFilesShared();
}

}  // namespace jacquard::sim
