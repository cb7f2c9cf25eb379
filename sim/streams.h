// Streams that simulated threads have locked with flockfile.
#ifndef JACQUARD_SIM_STREAMS_H_
#define JACQUARD_SIM_STREAMS_H_

namespace jacquard::sim {

// After an execution: nobody holds one any more.
void ForgetLockedStreams();

}  // namespace jacquard::sim

#endif  // JACQUARD_SIM_STREAMS_H_
