// Places in files that constructors of globals have opened: where main begins they are at the
// beginning of each execution. What is in the files stays.
#ifndef JACQUARD_SIM_FILE_POSITIONS_H_
#define JACQUARD_SIM_FILE_POSITIONS_H_

#include <cstdio>
#include <vector>

#include "sim/open_files.h"

namespace jacquard::sim {

// Before main: the program has opened the stream, or the C++ library has, perhaps for it.
void NoteEarlyStream(std::FILE* stream, bool by_cxx_library);
// Before main: it is about to be closed.
void ForgetEarlyStream(std::FILE* stream);

// Before the first execution: where these are, and the streams. What is buffered goes out.
void LearnFilePositions(const std::vector<OpenDescriptor>& descriptors);

// After an execution, once what it has closed is open again.
void RestoreFilePositions();

}  // namespace jacquard::sim

#endif  // JACQUARD_SIM_FILE_POSITIONS_H_
