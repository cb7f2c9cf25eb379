// Files that nobody has but the program: what threads wait for there, only threads can bring about.
#ifndef JACQUARD_SIM_PRIVATE_FILES_H_
#define JACQUARD_SIM_PRIVATE_FILES_H_

#include <sys/socket.h>

namespace jacquard::sim {

// Whether the program has opened `descriptor`, as a pipe without a name, a socket that is
// connected to another one of its own, an eventfd, or an epoll of nothing but such, and no other
// process has it. False also means "not known". For where it rarely matters: several system calls.
bool IsPrivateFile(int descriptor);

// The program is about to send `message`, with which descriptors may go to another process.
void NoteSentFiles(int socket, const msghdr& message);

}  // namespace jacquard::sim

#endif  // JACQUARD_SIM_PRIVATE_FILES_H_
