#include "fuzzers/files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>

namespace jacquard::fuzzers {
namespace {

namespace fs = std::filesystem;

std::string SystemError(const std::string& path) {
  return fmt::format("{}: {}", path, std::strerror(errno));
}

}  // namespace

std::string ReadFile(const std::string& path, Bytes* bytes) {
  bytes->clear();
  const int file = path == "-" ? STDIN_FILENO : open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return SystemError(path);
  std::string error;
  uint8_t buffer[4096];
  for (;;) {
    const ssize_t n = read(file, buffer, sizeof(buffer));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) error = SystemError(path);
    if (n <= 0) break;
    bytes->insert(bytes->end(), buffer, buffer + n);
    if (bytes->size() > kMaxFileSize) {
      error =
          fmt::format("{}: larger than {} bytes: not an input of this target", path, kMaxFileSize);
      break;
    }
  }
  if (file != STDIN_FILENO) close(file);
  return error;
}

std::string WriteFile(const std::string& path, std::span<const uint8_t> bytes, bool overwrite) {
  const bool standard = path == "-";
  const int exclusive = overwrite ? O_TRUNC : O_EXCL;
  const int file = standard ? STDOUT_FILENO
                            : open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | exclusive, 0666);
  if (file < 0 && errno == EEXIST) return path + ": exists already; --force overwrites it";
  if (file < 0) return SystemError(path);
  std::string error;
  while (!bytes.empty()) {
    const ssize_t n = write(file, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      error = SystemError(path);
      break;
    }
    bytes = bytes.subspan(static_cast<size_t>(n));
  }
  if (standard) return error;
  if (close(file) != 0 && error.empty()) error = SystemError(path);
  // Nobody wants a part of it, and it would be in the way of the next attempt.
  if (std::error_code ignored; !error.empty() && fs::is_regular_file(path, ignored))
    fs::remove(path, ignored);
  return error;
}

std::string WriteProblem(const std::string& path) {
  if (path == "-") return {};
  std::error_code error;
  if (fs::is_directory(path, error)) return path + ": is a folder";
  if (access(path.c_str(), W_OK) == 0) return {};
  if (errno != ENOENT) return SystemError(path);
  const std::string folder = fs::path(path).parent_path();
  return access(folder.empty() ? "." : folder.c_str(), W_OK | X_OK) == 0 ? "" : SystemError(path);
}

std::string AddFiles(const std::string& path, std::vector<std::string>& files) {
  std::error_code error;
  if (!fs::is_directory(path, error)) {
    if (path != "-" && access(path.c_str(), F_OK) != 0) return SystemError(path);
    files.push_back(path);
    return {};
  }
  std::vector<std::string> found;
  for (fs::recursive_directory_iterator it(path, error), end; !error && it != end;
       it.increment(error)) {
    if (it->path().filename().string().starts_with('.')) {
      if (it->is_directory()) it.disable_recursion_pending();
    } else if (it->is_regular_file()) {
      found.push_back(it->path());
    }
  }
  if (error) return fmt::format("{}: {}", path, error.message());
  std::ranges::sort(found);
  files.insert(files.end(), found.begin(), found.end());
  return {};
}

uint64_t HashOf(std::span<const uint8_t> bytes) {
  uint64_t hash = 0xcbf29ce484222325;
  for (const uint8_t byte : bytes) hash = (hash ^ byte) * 0x100000001b3;
  return hash;
}

}  // namespace jacquard::fuzzers
