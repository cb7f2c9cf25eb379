// What /proc says of the process's descriptors. For where it rarely matters: several system calls.
#ifndef JACQUARD_SIM_PROC_FILES_H_
#define JACQUARD_SIM_PROC_FILES_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>

namespace jacquard::sim {

// The name of the open file, its first bytes at least: a path, or "pipe:[4711]".
class OpenFileName {
 public:
  explicit OpenFileName(int descriptor);
  std::string_view text() const { return {name_, length_}; }
  bool IsEpoll() const { return text() == "anon_inode:[eventpoll]"; }

 private:
  char name_[64];
  size_t length_ = 0;
};

// What an epoll instance watches, as it has been asked to.
struct Watched {
  int descriptor;
  uint32_t events;
  uint64_t data;
};

// Calls `visit` for each of those. False: there may be more.
bool ForEachWatched(int epoll, const std::function<void(const Watched&)>& visit);

}  // namespace jacquard::sim

#endif  // JACQUARD_SIM_PROC_FILES_H_
