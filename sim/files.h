// Streams, directories, the working directory and the mask for new files, as an execution leaves
// them; open_files.h has descriptors.
#ifndef JACQUARD_SIM_FILES_H_
#define JACQUARD_SIM_FILES_H_

namespace jacquard::sim {

// What close() does that returns to `caller`.
int CloseFile(int descriptor, const void* caller);

// After an execution, while its memory is still there: closes what it has opened and not closed, as
// the end of the process would, and puts back what was there before.
void RestoreFiles();

}  // namespace jacquard::sim

#endif  // JACQUARD_SIM_FILES_H_
