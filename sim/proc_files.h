// What /proc says of the process's descriptors. For where it rarely matters: several system calls.
#ifndef JACQUARD_SIM_PROC_FILES_H_
#define JACQUARD_SIM_PROC_FILES_H_

#include <cstddef>
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

// Calls `visit` for each descriptor that the epoll instance watches. False: there may be more.
bool ForEachWatched(int epoll, const std::function<void(int)>& visit);

}  // namespace jacquard::sim

#endif  // JACQUARD_SIM_PROC_FILES_H_
