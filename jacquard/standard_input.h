// Standard input of a program that is executed again and again.
#ifndef JACQUARD_JACQUARD_STANDARD_INPUT_H_
#define JACQUARD_JACQUARD_STANDARD_INPUT_H_

#include <sys/types.h>

#include <string>

namespace jacquard {

// Each execution finds the input where the process found it, if it is a file, or a pipe in which
// there is something already: that is read to its end before the first execution. What comes later,
// or from a terminal, is there once.
class StandardInput {
 public:
  // Before the program has read anything. Waits for the end of such a pipe.
  StandardInput();

  // Why that cannot be done, and what to do instead; empty if it can.
  const std::string& problem() const { return problem_; }

  // At the beginning of each execution. For read(2), stdio and std::cin alike. A few system calls.
  void Rewind() const;

 private:
  off_t begin_ = -1;  // -1: cannot be read again
  std::string problem_;
};

}  // namespace jacquard

#endif  // JACQUARD_JACQUARD_STANDARD_INPUT_H_
