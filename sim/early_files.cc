#include "sim/early_files.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <cstdint>
#include <string>
#include <vector>

#include "sim/open_files.h"
#include "sim/proc_files.h"
#include "sim/real.h"

namespace jacquard::sim {
namespace {

// What can be read from `from`, and was written to `to`: the same descriptor for an eventfd.
struct Channel {
  int from;
  int to;
  std::vector<std::string> contents;  // what is read at once
};
struct Epoll {
  int descriptor;
  std::vector<Watched> watched;
};
constinit std::vector<Channel> channels;
constinit std::vector<Epoll> epolls;

bool IsOpen(int descriptor) { return JACQUARD_REAL(fcntl)(descriptor, F_GETFD) >= 0; }

bool MayRead(int descriptor) {
  return (JACQUARD_REAL(fcntl)(descriptor, F_GETFL) & O_ACCMODE) != O_WRONLY;
}

bool MayWrite(int descriptor) {
  return (JACQUARD_REAL(fcntl)(descriptor, F_GETFL) & O_ACCMODE) != O_RDONLY;
}

std::vector<std::string> Drain(int descriptor) {
  std::vector<std::string> contents;
  static char bytes[1 << 16];  // more than a pipe holds by default
  pollfd one = {.fd = descriptor, .events = POLLIN, .revents = 0};
  while (JACQUARD_REAL(poll)(&one, 1, 0) == 1 && (one.revents & POLLIN) != 0) {
    const ssize_t size = JACQUARD_REAL(read)(descriptor, bytes, sizeof(bytes));
    if (size <= 0) break;
    contents.emplace_back(bytes, static_cast<size_t>(size));
  }
  return contents;
}

void Fill(const Channel& channel) {
  for (const std::string& part : channel.contents) {
    [[maybe_unused]] const ssize_t size =
        JACQUARD_REAL(write)(channel.to, part.data(), part.size());
  }
}

std::vector<Watched> WatchedBy(int epoll) {
  std::vector<Watched> all;
  ForEachWatched(epoll, [&all](const Watched& one) { all.push_back(one); });
  return all;
}

}  // namespace

void LearnEarlyFiles(const std::vector<OpenDescriptor>& descriptors) {
  for (const OpenDescriptor& reader : descriptors) {
    if (!IsOpen(reader.number)) continue;
    const OpenFileName name(reader.number);
    if (name.IsEpoll()) epolls.push_back({reader.number, WatchedBy(reader.number)});
    if (reader.file == kUnknownFile || !MayRead(reader.number)) continue;
    const bool is_pair = name.text().starts_with("socket:");
    for (const OpenDescriptor& writer : descriptors) {
      if (writer.file != reader.file || (is_pair && writer.number == reader.number) ||
          !IsOpen(writer.number) || !MayWrite(writer.number))
        continue;
      channels.push_back({reader.number, writer.number, {}});
      break;
    }
  }
  for (Channel& channel : channels) channel.contents = Drain(channel.from);
  for (const Channel& channel : channels) Fill(channel);
}

void RestoreEarlyFiles() {
  for (const Epoll& epoll : epolls) {
    for (const Watched& one : WatchedBy(epoll.descriptor))
      JACQUARD_REAL(epoll_ctl)(epoll.descriptor, EPOLL_CTL_DEL, one.descriptor, nullptr);
  }
  for (const Channel& channel : channels) Drain(channel.from);
  for (const Channel& channel : channels) Fill(channel);
  for (const Epoll& epoll : epolls) {
    for (const Watched& one : epoll.watched) {
      epoll_event event = {.events = one.events, .data = {.u64 = one.data}};
      JACQUARD_REAL(epoll_ctl)(epoll.descriptor, EPOLL_CTL_ADD, one.descriptor, &event);
    }
  }
}

}  // namespace jacquard::sim
