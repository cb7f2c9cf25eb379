#include "fuzzers/child_process.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <stdexcept>

namespace jacquard {
namespace {

[[noreturn]] void BecomeChild(const std::vector<std::string>& command, const std::string& folder,
                              int output) {
  std::vector<char*> arguments;
  for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  const int input = open("/dev/null", O_RDONLY);
  if (chdir(folder.c_str()) == 0 && dup2(input, 0) != -1 && dup2(output, 1) != -1 &&
      dup2(output, 2) != -1) {
    execv(arguments[0], arguments.data());
  }
  dprintf(2, "cannot run %s: %s\n", arguments[0], std::strerror(errno));
  _exit(127);
}

double Seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
}

}  // namespace

ChildResult RunChild(const std::vector<std::string>& command, const std::string& folder) {
  std::array<int, 2> ends;
  if (pipe2(ends.data(), O_CLOEXEC) != 0) throw std::runtime_error("cannot make a pipe");
  const pid_t child = fork();
  if (child == -1) throw std::runtime_error("cannot start a process");
  if (child == 0) BecomeChild(command, folder, ends[1]);
  close(ends[1]);

  ChildResult result;
  std::array<char, 65536> buffer;
  ssize_t count;
  while ((count = read(ends[0], buffer.data(), buffer.size())) > 0) {
    result.output.append(buffer.data(), static_cast<size_t>(count));
  }
  close(ends[0]);

  int status = 0;
  rusage usage = {};
  while (wait4(child, &status, 0, &usage) == -1 && errno == EINTR) {
  }
  result.exit_status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  result.cpu_seconds = Seconds(usage.ru_utime) + Seconds(usage.ru_stime);
  result.resident_bytes = static_cast<double>(usage.ru_maxrss) * 1024;
  return result;
}

ScratchFolder::ScratchFolder() {
  std::string name = std::filesystem::temp_directory_path() / "jacquard-XXXXXX";
  if (mkdtemp(name.data()) == nullptr)
    throw std::runtime_error("cannot make a folder like " + name);
  path_ = name;
}

ScratchFolder::~ScratchFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace jacquard
