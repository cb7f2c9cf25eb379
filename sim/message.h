// Messages of the runtime itself, usable at any time: before main, on any stack, under any
// thread-local storage.
#ifndef JACQUARD_SIM_MESSAGE_H_
#define JACQUARD_SIM_MESSAGE_H_

#include <string_view>

namespace jacquard::sim {

// Writes "jacquard: TEXT" and a newline to standard error, in one system call.
void Warn(std::string_view text);

// Where messages go from now on, instead of standard error.
void SetMessageDescriptor(int descriptor);

// Warns and ends the process with status 2: the runtime cannot work here.
[[noreturn]] void Die(std::string_view text);

}  // namespace jacquard::sim

#endif  // JACQUARD_SIM_MESSAGE_H_
