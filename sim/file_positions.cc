#include "sim/file_positions.h"

#include <stdio_ext.h>
#include <unistd.h>

#include <cstdio>
#include <vector>

#include "sim/cxx_library.h"
#include "sim/engine.h"
#include "sim/open_files.h"
#include "sim/real.h"

namespace jacquard::sim {
namespace {

// A stream reads ahead: its place is not that of its descriptor, unless it has been flushed.
struct Stream {
  FILE* stream;
  bool by_cxx_library;
  off_t place;  // negative: it has none
};
struct Descriptor {
  int number;
  off_t place;
};
constinit std::vector<Stream> streams;
constinit std::vector<Descriptor> descriptors;

off_t PlaceOf(int descriptor) { return JACQUARD_REAL(lseek)(descriptor, 0, SEEK_CUR); }

void Restore(const Stream& one) {
  // The C++ library's own streams have buffers of theirs, which must be put back, too. And where it
  // is not part of the program, others may have opened them.
  if (one.place < 0 || (one.by_cxx_library && !cxx_library.is_part())) return;
  // A thread that was given up may have had it locked.
  const int locking = __fsetlocking(one.stream, FSETLOCKING_BYCALLER);
  if (ftello(one.stream) != one.place || feof(one.stream) != 0 || ferror(one.stream) != 0) {
    fflush(one.stream);
    clearerr(one.stream);
    fseeko(one.stream, one.place, SEEK_SET);
  }
  fflush(one.stream);
  __fsetlocking(one.stream, locking);
}

}  // namespace

void NoteEarlyStream(FILE* stream, bool by_cxx_library) {
  const Backstage backstage;
  streams.push_back({stream, by_cxx_library, -1});
}

void ForgetEarlyStream(FILE* stream) {
  const Backstage backstage;
  std::erase_if(streams, [stream](const Stream& one) { return one.stream == stream; });
}

void LearnFilePositions(const std::vector<OpenDescriptor>& opened) {
  for (Stream& one : streams) {
    fflush(one.stream);
    one.place = ftello(one.stream);
  }
  for (const OpenDescriptor& one : opened) {
    const off_t place = PlaceOf(one.number);
    if (place >= 0) descriptors.push_back({one.number, place});
  }
}

void RestoreFilePositions() {
  for (const Stream& one : streams) Restore(one);
  for (const Descriptor& one : descriptors) {
    if (PlaceOf(one.number) != one.place) JACQUARD_REAL(lseek)(one.number, one.place, SEEK_SET);
  }
}

}  // namespace jacquard::sim
