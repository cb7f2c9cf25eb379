// Processes that share a search and tell the first one what they find.
#ifndef JACQUARD_JACQUARD_WORKERS_H_
#define JACQUARD_JACQUARD_WORKERS_H_

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace jacquard::call {

// Children of this process, which write JSON lines to pipes. They end with it. One of these at a
// time; the runtime must not have executed anything in this process yet.
class Workers {
 public:
  // The end of a pipe that a child has.
  class Pipe {
   public:
    explicit Pipe(int fd) : fd_(fd) {}
    // Ends the process when nobody listens any more.
    void Send(const nlohmann::json& message) const;

   private:
    const int fd_;
  };

  // The part of worker number `worker` of `count` in `total`.
  static uint64_t Share(uint64_t total, int worker, int count) {
    const auto n = static_cast<uint64_t>(count);
    return total / n + (static_cast<uint64_t>(worker) < total % n ? 1 : 0);
  }

  // Starts child after child, numbered from 0: each does `work`, and ends. "" or what went wrong.
  std::string Start(int count, const std::function<void(int worker, const Pipe& pipe)>& work);

  // Hands on what the children say, and calls `on_turn` several times a second, until all have
  // closed their pipes.
  void Listen(const std::function<void(int worker, const nlohmann::json& message)>& on_message,
              const std::function<void()>& on_turn);

  // Kills those that have not closed their pipes, but for those that `spare` is true of.
  void Kill(const std::function<bool(int worker)>& spare);

  // Waits for the end of all. "" or how one of them ended that neither was killed nor ended as it
  // should.
  std::string Reap();

 private:
  struct Worker {
    pid_t pid = -1;
    int fd = -1;
    std::string buffer;  // of a line that is not complete yet
  };

  void Read(int worker,
            const std::function<void(int worker, const nlohmann::json& message)>& on_message);

  std::vector<Worker> workers_;
  bool killed_ = false;
};

}  // namespace jacquard::call

#endif  // JACQUARD_JACQUARD_WORKERS_H_
