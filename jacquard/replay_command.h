// The command that replays a token.
#ifndef JACQUARD_JACQUARD_REPLAY_COMMAND_H_
#define JACQUARD_JACQUARD_REPLAY_COMMAND_H_

#include <string>

namespace jacquard::call {

// The arguments of this process, each with a space before it, as a shell reads them. To be called
// before the body, which may write to them.
std::string ReadArguments();

// The command that replays `token`; `test`: the name of the running test, "" if there is none;
// `is_program`: it is no test at all, and `arguments` are its own.
std::string ReplayCommand(const std::string& token, const std::string& test, bool is_program,
                          const std::string& arguments);

}  // namespace jacquard::call

#endif  // JACQUARD_JACQUARD_REPLAY_COMMAND_H_
