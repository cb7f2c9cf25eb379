#include "sim/private_files.h"

#include <errno.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <string_view>

#include "sim/engine.h"
#include "sim/open_files.h"
#include "sim/proc_files.h"
#include "sim/real.h"
#include "sim/real_waits.h"

namespace jacquard::sim {
namespace {

// A child has all descriptors that are not closed for it.
bool HasChildren() {
  siginfo_t child = {};
  return JACQUARD_REAL(waitid)(P_ALL, 0, &child, WEXITED | WNOHANG | WNOWAIT) == 0 ||
         errno != ECHILD;
}

// The name of a socket, or of the one that it is connected to.
struct SocketName {
  SocketName(decltype(getsockname)* ask, int socket) {
    exists = ask(socket, reinterpret_cast<sockaddr*>(&address), &length) == 0;
  }
  bool IsEmpty() const { return length == sizeof(sa_family_t); }
  bool operator==(const SocketName& other) const {
    return exists && other.exists && length == other.length &&
           std::memcmp(&address, &other.address, length) == 0;
  }
  sockaddr_storage address = {};
  socklen_t length = sizeof(address);
  bool exists;
};

// The process at the other end of a connection within the machine.
pid_t PeerOf(int socket) {
  ucred peer = {};
  socklen_t length = sizeof(peer);
  return getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &length) == 0 ? peer.pid : 0;
}

// Whether the other end of the socket's connection is the program's, too.
bool IsConnectedToItself(int socket) {
  const SocketName name(getsockname, socket);
  const SocketName peer(getpeername, socket);
  if (!name.exists || !peer.exists) return false;
  if (name.address.ss_family == AF_UNIX) {
    // What has a name gets datagrams from anybody.
    const bool is_pair = name.IsEmpty() && peer.IsEmpty();
    return PeerOf(socket) == getpid() && (is_pair || TypeOfSocket(socket) != SOCK_DGRAM);
  }
  bool any = false;
  ForEachOpenedFile([&](int other) {
    any = any || (SocketName(getsockname, other) == peer && SocketName(getpeername, other) == name);
  });
  return any && TypeOfSocket(socket) == SOCK_STREAM;
}

bool WatchesOnlyPrivateFiles(int epoll) {
  bool any = false;
  bool all = true;
  const bool complete = ForEachWatched(epoll, [&](const Watched& watched) {
    any = true;
    all = all && IsPrivateFile(watched.descriptor);
  });
  return complete && any && all;
}

}  // namespace

bool IsPrivateFile(int descriptor) {
  if (!IsOpenedByProgram(descriptor) || HasChildren()) return false;
  const OpenFileName name(descriptor);
  const std::string_view kind = name.text();
  if (kind.starts_with("socket:")) return IsConnectedToItself(descriptor);
  if (name.IsEpoll()) return WatchesOnlyPrivateFiles(descriptor);
  return kind == "anon_inode:[eventfd]" || kind.starts_with("pipe:");
}

void NoteSentFiles(int socket, const msghdr& message) {
  if (message.msg_control == nullptr || !engine.Simulates()) return;
  const Backstage backstage;
  if (!IsPrivateFile(socket)) NoteFilesShared();
}

}  // namespace jacquard::sim
