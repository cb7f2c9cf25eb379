// A child process: what it printed, how it ended, and the CPU time that it took.
#ifndef JACQUARD_FUZZERS_CHILD_PROCESS_H_
#define JACQUARD_FUZZERS_CHILD_PROCESS_H_

#include <string>
#include <vector>

namespace jacquard {

struct ChildResult {
  int exit_status = 0;  // 128 + signal if a signal ended it
  double cpu_seconds =
      0;  // of it and of those it has waited for: what a shared machine does not distort much
  double resident_bytes = 0;  // the most of its memory that was there at once
  std::string output;         // standard output and standard error, in the order in which they came
};

// Runs `command` in `folder` with no standard input and waits for it. Throws std::runtime_error
// when it cannot be started.
ChildResult RunChild(const std::vector<std::string>& command, const std::string& folder);

// A folder that exists from construction to destruction, empty at first.
class ScratchFolder {
 public:
  ScratchFolder();
  ~ScratchFolder();
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;

  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace jacquard

#endif  // JACQUARD_FUZZERS_CHILD_PROCESS_H_
