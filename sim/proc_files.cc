#include "sim/proc_files.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdio>

#include "sim/real.h"

namespace jacquard::sim {
namespace {

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
  std::string_view text() const { return {bytes_, size_}; }
  // Whether that is all of it.
  bool IsComplete() const { return size_ != 0 && size_ < sizeof(bytes_); }

 private:
  char bytes_[1 << 12];
  size_t size_ = 0;
};

}  // namespace

OpenFileName::OpenFileName(int descriptor) {
  char path[64];
  std::snprintf(path, sizeof(path), "/proc/self/fd/%d", descriptor);
  const ssize_t length = readlink(path, name_, sizeof(name_));
  length_ = length < 0 ? 0 : static_cast<size_t>(length);
}

bool ForEachWatched(int epoll, const std::function<void(int)>& visit) {
  char path[64];
  std::snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", epoll);
  const ProcText info(path);
  constexpr std::string_view kTarget = "tfd:";
  std::string_view rest = info.text();
  for (size_t at = rest.find(kTarget); at != std::string_view::npos; at = rest.find(kTarget)) {
    rest.remove_prefix(at + kTarget.size());
    rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
    int target = -1;
    if (std::from_chars(rest.data(), rest.data() + rest.size(), target).ec == std::errc())
      visit(target);
  }
  return info.IsComplete();
}

}  // namespace jacquard::sim
