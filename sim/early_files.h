// Files that constructors of globals have opened and that nobody else has: pipes, pairs of sockets,
// eventfds, and what epolls watch. What is in them when main begins is in them at the beginning of
// each execution.
#ifndef JACQUARD_SIM_EARLY_FILES_H_
#define JACQUARD_SIM_EARLY_FILES_H_

#include <vector>

#include "sim/open_files.h"

namespace jacquard::sim {

// Remembers what is in these files, those of them that are still open.
void LearnEarlyFiles(const std::vector<OpenDescriptor>& descriptors);

// After an execution, once what it has closed is open again.
void RestoreEarlyFiles();

}  // namespace jacquard::sim

#endif  // JACQUARD_SIM_EARLY_FILES_H_
