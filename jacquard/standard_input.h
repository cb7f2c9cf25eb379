// Standard input of a program that is executed again and again.
#ifndef JACQUARD_JACQUARD_STANDARD_INPUT_H_
#define JACQUARD_JACQUARD_STANDARD_INPUT_H_

#include <sys/types.h>

namespace jacquard {

// Each execution finds the input where the process found it, if it is a file. What comes from a
// pipe or a terminal is there once.
class StandardInput {
 public:
  // Before the program has read anything.
  StandardInput();

  // At the beginning of each execution. For read(2), stdio and std::cin alike. A few system calls.
  void Rewind() const;

 private:
  off_t begin_ = -1;  // -1: cannot be read again
};

}  // namespace jacquard

#endif  // JACQUARD_JACQUARD_STANDARD_INPUT_H_
