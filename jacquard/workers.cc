#include "jacquard/workers.h"

#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

namespace jacquard::call {

using nlohmann::json;

void Workers::Pipe::Send(const json& message) const {
  const std::string line = message.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
  for (size_t sent = 0; sent < line.size();) {
    const ssize_t n = write(fd_, line.data() + sent, line.size() - sent);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) _exit(1);
    sent += static_cast<size_t>(n);
  }
}

std::string Workers::Start(int count,
                           const std::function<void(int worker, const Pipe& pipe)>& work) {
  std::fflush(nullptr);  // or each child writes it, too
  for (int i = 0; i < count; ++i) {
    int ends[2];
    if (pipe(ends) != 0) return fmt::format("pipe: {}", std::strerror(errno));
    const pid_t pid = fork();
    if (pid < 0) return fmt::format("fork: {}", std::strerror(errno));
    if (pid == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      close(ends[0]);
      for (const Worker& other : workers_) close(other.fd);
      work(i, Pipe(ends[1]));
      std::fflush(nullptr);
      _exit(0);
    }
    close(ends[1]);
    workers_.push_back({.pid = pid, .fd = ends[0], .buffer = {}});
  }
  return {};
}

void Workers::Listen(const std::function<void(int worker, const json& message)>& on_message,
                     const std::function<void()>& on_turn) {
  constexpr int kPollMilliseconds = 100;
  for (;;) {
    std::vector<pollfd> waits;
    std::vector<int> whose;
    for (size_t i = 0; i < workers_.size(); ++i) {
      if (workers_[i].fd < 0) continue;
      waits.push_back({.fd = workers_[i].fd, .events = POLLIN, .revents = 0});
      whose.push_back(static_cast<int>(i));
    }
    if (waits.empty()) return;
    poll(waits.data(), waits.size(), kPollMilliseconds);
    for (size_t i = 0; i < waits.size(); ++i) {
      if (waits[i].revents != 0) Read(whose[i], on_message);
    }
    on_turn();
  }
}

void Workers::Read(int worker,
                   const std::function<void(int worker, const json& message)>& on_message) {
  Worker& it = workers_[static_cast<size_t>(worker)];
  char bytes[65536];
  const ssize_t n = read(it.fd, bytes, sizeof(bytes));
  if (n < 0 && (errno == EINTR || errno == EAGAIN)) return;
  if (n <= 0) {
    close(it.fd);
    it.fd = -1;
    return;
  }
  it.buffer.append(bytes, static_cast<size_t>(n));
  size_t begin = 0;
  for (size_t end = 0; (end = it.buffer.find('\n', begin)) != std::string::npos; begin = end + 1)
    on_message(worker, json::parse(it.buffer.substr(begin, end - begin)));
  it.buffer.erase(0, begin);
}

void Workers::Kill(const std::function<bool(int worker)>& spare) {
  for (size_t i = 0; i < workers_.size(); ++i) {
    if (workers_[i].fd >= 0 && !spare(static_cast<int>(i))) kill(workers_[i].pid, SIGKILL);
  }
  killed_ = true;
}

std::string Workers::Reap() {
  std::string problem;
  for (const Worker& worker : workers_) {
    int status = 0;
    while (waitpid(worker.pid, &status, 0) < 0 && errno == EINTR) {
    }
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) continue;
    if (killed_ && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) continue;
    problem = WIFSIGNALED(status)
                  ? fmt::format("a process was ended by signal {}", WTERMSIG(status))
                  : fmt::format("a process ended with status {}", WEXITSTATUS(status));
  }
  return problem;
}

}  // namespace jacquard::call
