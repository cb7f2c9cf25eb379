// Places in code: return addresses, and what they are in the source.
#ifndef JACQUARD_LOCK_LOCKDEP_PLACES_H_
#define JACQUARD_LOCK_LOCKDEP_PLACES_H_

#include <cstdint>
#include <string>
#include <vector>

namespace jacquard::lock::lockdep {

// The calls that led somewhere, innermost first.
struct Stack {
  static constexpr int kMost = 16;  // those further out are left away
  int count = 0;
  std::uintptr_t frames[kMost] = {};  // return addresses
};

// "main (cache.cc:17)", the innermost function at `place` that is neither of a library nor of the
// validator. Reads debug information: costs milliseconds for the first place of a module.
std::string DescribePlace(std::uintptr_t place);

// A line for each function on the stack that is neither of a library nor of the validator.
std::vector<std::string> DescribeStack(const Stack& stack);

}  // namespace jacquard::lock::lockdep

#endif  // JACQUARD_LOCK_LOCKDEP_PLACES_H_
