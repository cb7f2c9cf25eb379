// Streams that simulated threads have locked with flockfile.
#ifndef JACQUARD_SIM_STREAMS_H_
#define JACQUARD_SIM_STREAMS_H_

#include <cstdio>

namespace jacquard::sim {

// The program is about to close the stream: whoever has locked it does so no more.
void ForgetLockOf(std::FILE* stream);

// After an execution: nobody holds one any more.
void ForgetLockedStreams();

}  // namespace jacquard::sim

#endif  // JACQUARD_SIM_STREAMS_H_
