// Functions of the program that libraries without hooks call in place of their own: what has no
// home, as inline functions and templates, is in each module, and the first one's is everybody's.
// So a library's std::string may grow by a function that was compiled with the hooks. What that
// allocates is the library's all the same, and has to stay.
//
// The C++ library's own calls of them are on behalf of who has called it: the program, unless there
// are other libraries that use it.
#ifndef JACQUARD_SIM_LENT_FUNCTIONS_H_
#define JACQUARD_SIM_LENT_FUNCTIONS_H_

#include <cstdint>
#include <span>
#include <vector>

#include "sim/hooked_library.h"

namespace jacquard::sim {

class LentFunctions {
 public:
  constexpr LentFunctions() = default;

  // Looks for them among what the libraries that are loaded now refer to: when it is known which
  // are part of the program, and when others have been loaded. Not thread-safe.
  void Find();

  bool any() const { return !functions_.empty(); }
  // Whether one of them runs for a library: `caller` lies in code that has been called from
  // `calls`, the innermost last. Costs a walk over the calls if there are any such functions.
  bool RunForLibrary(std::span<const uintptr_t> calls, const void* caller) const {
    return any() && IsCalledByLibrary(calls, static_cast<const char*>(caller));
  }
  // The same where the calls have to be looked for on the stack: some microseconds.
  bool RunForLibrary() const;

 private:
  bool IsCalledByLibrary(std::span<const uintptr_t> calls, const char* caller) const;

  std::vector<DataRange> functions_;
  std::vector<DataRange> libraries_;  // their code
};

extern constinit LentFunctions lent_functions;

}  // namespace jacquard::sim

#endif  // JACQUARD_SIM_LENT_FUNCTIONS_H_
