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

constexpr std::string_view kTarget = "tfd:";

// The one that follows `name` in `text`, where it begins; 0 if there is none.
template <class Number>
Number NumberBehind(std::string_view text, std::string_view name, int base) {
  const size_t at = text.find(name);
  if (at == std::string_view::npos) return 0;
  text.remove_prefix(at + name.size());
  text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
  Number number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number, base);
  return number;
}

}  // namespace

OpenFileName::OpenFileName(int descriptor) {
  char path[64];
  std::snprintf(path, sizeof(path), "/proc/self/fd/%d", descriptor);
  const ssize_t length = readlink(path, name_, sizeof(name_));
  length_ = length < 0 ? 0 : static_cast<size_t>(length);
}

// A line for each: "tfd:        5 events:       19 data:                5  pos:0 ino:40f sdev:f".
bool ForEachWatched(int epoll, const std::function<void(const Watched&)>& visit) {
  char path[64];
  std::snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", epoll);
  const ProcText info(path);
  std::string_view rest = info.text();
  for (size_t at = rest.find(kTarget); at != std::string_view::npos; at = rest.find(kTarget)) {
    rest.remove_prefix(at);
    const Watched watched = {NumberBehind<int>(rest, kTarget, 10),
                             NumberBehind<uint32_t>(rest, "events:", 16),
                             NumberBehind<uint64_t>(rest, "data:", 16)};
    visit(watched);
    rest.remove_prefix(kTarget.size());
  }
  return info.IsComplete();
}

}  // namespace jacquard::sim
