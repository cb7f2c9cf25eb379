#include "fuzzers/files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <optional>
#include <system_error>
#include <utility>

namespace jacquard::fuzzers {
namespace {

namespace fs = std::filesystem;

std::string SystemError(const std::string& path) {
  return fmt::format("{}: {}", path, std::strerror(errno));
}

// False, with errno: something could not be written.
bool WriteAll(int file, std::span<const uint8_t> bytes) {
  while (!bytes.empty()) {
    const ssize_t n = write(file, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return false;
    bytes = bytes.subspan(static_cast<size_t>(n));
  }
  return true;
}

// Puts `bytes` in the place of a file, which stays as it is until all are written: into another one
// in its folder, which then gets its name. "" or what went wrong; nothing: it cannot be done so,
// but perhaps otherwise.
std::optional<std::string> ReplaceFile(const std::string& path, std::span<const uint8_t> bytes) {
  // Other names of files that are open, and go on to be written to.
  if (path.starts_with("/dev/") || path.starts_with("/proc/")) return {};
  struct stat old = {};
  const bool exists = stat(path.c_str(), &old) == 0;
  // Devices and pipes are no files to be replaced. A file that may not be written stays.
  if (exists && (!S_ISREG(old.st_mode) || access(path.c_str(), W_OK) != 0)) return {};
  if (struct stat link = {}; !exists && lstat(path.c_str(), &link) == 0) return {};  // to nothing
  std::error_code error;
  const fs::path place = exists ? fs::canonical(path, error) : fs::path(path);
  if (error) return {};
  std::string temporary;
  int file = -1;
  for (int i = 0; file < 0; ++i) {
    temporary = place.parent_path() / fmt::format(".jacquard-{}-{}.tmp", getpid(), i);
    file = open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (file < 0 && errno != EEXIST) {
      // The file may be written to even where its folder may not.
      return errno == ENOSPC || errno == EDQUOT ? std::optional(SystemError(path)) : std::nullopt;
    }
  }
  bool good = WriteAll(file, bytes);
  if (good && exists) good = fchmod(file, old.st_mode & 07777) == 0;
  std::string problem = good ? "" : SystemError(path);
  if (close(file) != 0 && problem.empty()) problem = SystemError(path);
  if (problem.empty() && rename(temporary.c_str(), place.c_str()) != 0) problem = SystemError(path);
  if (!problem.empty()) unlink(temporary.c_str());
  return problem;
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
  if (overwrite && !standard) {
    if (std::optional<std::string> result = ReplaceFile(path, bytes)) return *std::move(result);
  }
  const int exclusive = overwrite ? O_TRUNC : O_EXCL;
  const int file = standard ? STDOUT_FILENO
                            : open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | exclusive, 0666);
  if (file < 0 && errno == EEXIST)
    return fmt::format("{}: exists already; {}", path, kForceOverwrites);
  if (file < 0) return SystemError(path);
  std::string error = WriteAll(file, bytes) ? "" : SystemError(path);
  if (standard) return error;
  if (close(file) != 0 && error.empty()) error = SystemError(path);
  // Nobody wants a part of it, and it would be in the way of the next attempt.
  if (std::error_code ignored; !error.empty() && fs::is_regular_file(path, ignored))
    fs::remove(path, ignored);
  return error;
}

std::string OutputProblem(const std::string& path, bool overwrite) {
  std::error_code error;
  if (overwrite || path == "-" || !fs::exists(path, error)) return WriteProblem(path);
  return fmt::format("{}: exists already; {}", path, kForceOverwrites);
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
