// Streams of descriptors (fdopen) at which threads may wait for each other: what the C library's
// own read and write there would wait for real.
#ifndef JACQUARD_SIM_DESCRIPTOR_STREAMS_H_
#define JACQUARD_SIM_DESCRIPTOR_STREAMS_H_

#include <cstdio>

namespace jacquard::sim {

// What fdopen() does if the program has opened `descriptor` for itself as a pipe or a socket, and
// it may be used as `mode` says: a stream that reads, writes and closes as the program's own calls
// would (descriptors.h). Otherwise null, and nothing has been done.
std::FILE* OpenDescriptorStream(int descriptor, const char* mode);

// Of a stream that OpenDescriptorStream() has made; -1: it has not.
int DescriptorOfStream(const std::FILE* stream);

}  // namespace jacquard::sim

#endif  // JACQUARD_SIM_DESCRIPTOR_STREAMS_H_
