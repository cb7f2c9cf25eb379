// What a program does to its file descriptors (open_files.h), to its streams, to the working
// directory and the mask for new files ends with the execution: the next one begins as this one
// did.
//
// A stream from before the execution that it closes is only flushed. What it writes to files stays.
#include "sim/files.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <string_view>
#include <vector>

#include "sim/caller.h"
#include "sim/cxx_library.h"
#include "sim/descriptor_streams.h"
#include "sim/descriptors.h"
#include "sim/engine.h"
#include "sim/file_positions.h"
#include "sim/open_files.h"
#include "sim/own_descriptors.h"
#include "sim/real.h"
#include "sim/streams.h"
#include "sim/sync.h"

namespace jacquard::sim {
namespace {

// The C++ library opens streams for the program, too.
bool IsStreamOfProgram(const void* caller) {
  return arena_on && engine.Simulates() && !FromRuntime(caller);
}

// The streams, of any thread.
class StreamsOutside {
 public:
  void Add(FILE* stream) {
    Lock lock(*this);
    streams_.push_back(stream);
  }
  void Remove(FILE* stream) {
    Lock lock(*this);
    std::erase(streams_, stream);
  }
  bool Has(const FILE* stream) {
    Lock lock(*this);
    return stream == stdin || stream == stdout || stream == stderr ||
           std::find(streams_.begin(), streams_.end(), stream) != streams_.end();
  }

 private:
  struct Lock {
    explicit Lock(StreamsOutside& all) : taken(all.taken_) {
      while (taken.test_and_set(std::memory_order_acquire)) {
      }
    }
    ~Lock() { taken.clear(std::memory_order_release); }
    std::atomic_flag& taken;
    const Backstage backstage;
  };
  std::atomic_flag taken_;
  std::vector<FILE*> streams_;
};
constinit StreamsOutside streams_outside;

// What the execution has opened and changed, beside descriptors.
struct Files {
  std::vector<FILE*> streams;
  std::vector<DIR*> directories;
  int directory = -1;  // the working one, as it was
  bool has_mask = false;
  mode_t mask = 0;
  bool any = false;
};
constinit Files files;

template <class T>
bool Take(std::vector<T>& from, T which) {
  const auto place = std::find(from.begin(), from.end(), which);
  if (place == from.end()) return false;
  from.erase(place);
  return true;
}

template <class T>
T Opened(std::vector<T>& list, T result) {
  const int error = errno;
  const Backstage backstage;
  files.any = true;
  list.push_back(result);
  errno = error;
  return result;
}

FILE* OpenedStream(FILE* stream, const void* caller) {
  if (stream == nullptr) return stream;
  if (IsStreamOfProgram(caller)) return Opened(files.streams, stream);
  streams_outside.Add(stream);
  SetOpenOutside(fileno(stream), true);
  const bool by_cxx_library = FromCxxLibrary(caller);
  if (engine.IsBeforeProgram() && (by_cxx_library || FromProgramItself(caller)))
    NoteEarlyStream(stream, by_cxx_library);
  return stream;
}

// The device of random numbers answers as getrandom() does: what the C library reads for a stream
// goes by read(). (The C++ library reads from the descriptor: real_waits.cc.)
FILE* OpenByName(FILE* (*real)(const char*, const char*), const char* path, const char* mode,
                 const void* caller) {
  const std::string_view name = path;
  if (!IsByProgram(caller) || (name != "/dev/urandom" && name != "/dev/random"))
    return real(path, mode);
  cookie_io_functions_t functions = {};
  functions.read = [](void* /*cookie*/, char* buffer, size_t size) {
    return getrandom(buffer, size, 0);
  };
  return fopencookie(nullptr, mode, functions);
}

void BeforeDirectoryChange(const void* caller) {
  if (!IsByProgram(caller) || files.directory >= 0) return;
  const int here = JACQUARD_REAL(open)(".", O_PATH | O_CLOEXEC);
  if (here < 0) return;
  files.directory = JACQUARD_REAL(fcntl)(here, F_DUPFD_CLOEXEC, kAbove);
  JACQUARD_REAL(close)(here);
  files.any = true;
}

mode_t ModeOf(int flags, va_list arguments) {
  return (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(arguments, mode_t) : 0;
}

}  // namespace

int CloseFile(int descriptor, const void* caller) {
  if (IsByProgram(caller) && IsOfRuntime(descriptor)) {
    errno = EBADF;
    return -1;
  }
  const DescriptorCall call(descriptor, DescriptorCall::Effect::kCloses,
                            reinterpret_cast<uintptr_t>(caller));
  BeforeClose(descriptor, caller);
  return JACQUARD_REAL(close)(descriptor);
}

void RestoreFiles() {
  // A thread that was given up may have had a stream locked.
  if (HasReplacedFiles()) {
    for (FILE* const stream : {stdout, stderr}) {
      fflush_unlocked(stream);
      clearerr_unlocked(stream);
    }
  }
  for (FILE* const stream : files.streams) {
    __fsetlocking(stream, FSETLOCKING_BYCALLER);
    JACQUARD_REAL(fclose)(stream);
  }
  for (DIR* const directory : files.directories) JACQUARD_REAL(closedir)(directory);
  RestoreOpenFiles();
  if (!files.any) return;
  if (files.directory >= 0) {
    [[maybe_unused]] const int result = JACQUARD_REAL(fchdir)(files.directory);
    JACQUARD_REAL(close)(files.directory);
  }
  if (files.has_mask) JACQUARD_REAL(umask)(files.mask);
  files = {};
}

}  // namespace jacquard::sim

using jacquard::sim::BeforeClose;
using jacquard::sim::BeforeDirectoryChange;
using jacquard::sim::CopiedFile;
using jacquard::sim::engine;
using jacquard::sim::files;
using jacquard::sim::ForgetEarlyStream;
using jacquard::sim::GiveToStream;
using jacquard::sim::IsByProgram;
using jacquard::sim::IsStreamOfProgram;
using jacquard::sim::ModeOf;
using jacquard::sim::OpenByName;
using jacquard::sim::Opened;
using jacquard::sim::OpenedFile;
using jacquard::sim::OpenedNewFile;
using jacquard::sim::OpenedPair;
using jacquard::sim::OpenedStream;
using jacquard::sim::SetOpenOutside;
using jacquard::sim::streams_outside;
using jacquard::sim::Take;

extern "C" {

// ---- what opens

#define JACQUARD_OPENS(NAME, PARAMETERS, ARGUMENTS, SPECIFICATION)             \
  int NAME PARAMETERS SPECIFICATION {                                          \
    return OpenedFile(JACQUARD_REAL(NAME) ARGUMENTS, JACQUARD_RETURN_ADDRESS); \
  }
#define JACQUARD_OPENS_BY_NAME(NAME, PARAMETERS, ARGUMENTS)                    \
  int NAME PARAMETERS {                                                        \
    va_list arguments;                                                         \
    va_start(arguments, flags);                                                \
    const mode_t mode = ModeOf(flags, arguments);                              \
    va_end(arguments);                                                         \
    return OpenedFile(JACQUARD_REAL(NAME) ARGUMENTS, JACQUARD_RETURN_ADDRESS); \
  }

JACQUARD_OPENS_BY_NAME(open, (const char* path, int flags, ...), (path, flags, mode))
JACQUARD_OPENS_BY_NAME(open64, (const char* path, int flags, ...), (path, flags, mode))
JACQUARD_OPENS_BY_NAME(openat, (int folder, const char* path, int flags, ...),
                       (folder, path, flags, mode))
JACQUARD_OPENS_BY_NAME(openat64, (int folder, const char* path, int flags, ...),
                       (folder, path, flags, mode))
JACQUARD_OPENS(creat, (const char* path, mode_t mode), (path, mode), )
JACQUARD_OPENS(creat64, (const char* path, mode_t mode), (path, mode), )
JACQUARD_OPENS(mkstemp, (char* path), (path), )
JACQUARD_OPENS(mkstemp64, (char* path), (path), )
JACQUARD_OPENS(mkostemp, (char* path, int flags), (path, flags), )
JACQUARD_OPENS(shm_open, (const char* name, int flags, mode_t mode), (name, flags, mode), )
JACQUARD_OPENS(signalfd, (int old, const sigset_t* set, int flags), (old, set, flags), noexcept)
JACQUARD_OPENS(socket, (int domain, int type, int protocol), (domain, type, protocol), noexcept)
JACQUARD_OPENS(epoll_create, (int size), (size), noexcept)
JACQUARD_OPENS(epoll_create1, (int flags), (flags), noexcept)
JACQUARD_OPENS(inotify_init, (), (), noexcept)
JACQUARD_OPENS(inotify_init1, (int flags), (flags), noexcept)
JACQUARD_OPENS(memfd_create, (const char* name, unsigned flags), (name, flags), noexcept)

int pipe(int* ends) noexcept {
  const int result = JACQUARD_REAL(pipe)(ends);
  OpenedPair(ends, result, JACQUARD_RETURN_ADDRESS);
  return result;
}

int pipe2(int* ends, int flags) noexcept {
  const int result = JACQUARD_REAL(pipe2)(ends, flags);
  OpenedPair(ends, result, JACQUARD_RETURN_ADDRESS);
  return result;
}

int socketpair(int domain, int type, int protocol, int* ends) noexcept {
  const int result = JACQUARD_REAL(socketpair)(domain, type, protocol, ends);
  OpenedPair(ends, result, JACQUARD_RETURN_ADDRESS);
  return result;
}

int eventfd(unsigned value, int flags) noexcept {
  return OpenedNewFile(JACQUARD_REAL(eventfd)(value, flags), JACQUARD_RETURN_ADDRESS);
}

int dup(int descriptor) noexcept {
  return CopiedFile(descriptor, JACQUARD_REAL(dup)(descriptor), JACQUARD_RETURN_ADDRESS);
}

// ---- what closes, or puts another file in the place

int close(int descriptor) { return jacquard::sim::CloseFile(descriptor, JACQUARD_RETURN_ADDRESS); }

int dup2(int from, int to) noexcept {
  if (from == to || JACQUARD_REAL(fcntl)(from, F_GETFD) < 0) return JACQUARD_REAL(dup2)(from, to);
  BeforeClose(to, JACQUARD_RETURN_ADDRESS);
  return CopiedFile(from, JACQUARD_REAL(dup2)(from, to), JACQUARD_RETURN_ADDRESS);
}

int dup3(int from, int to, int flags) noexcept {
  if (JACQUARD_REAL(fcntl)(from, F_GETFD) >= 0) BeforeClose(to, JACQUARD_RETURN_ADDRESS);
  return CopiedFile(from, JACQUARD_REAL(dup3)(from, to, flags), JACQUARD_RETURN_ADDRESS);
}

// ---- streams

#define JACQUARD_OPENS_STREAM(NAME, PARAMETERS, ARGUMENTS, SPECIFICATION)        \
  FILE* NAME PARAMETERS SPECIFICATION {                                          \
    return OpenedStream(JACQUARD_REAL(NAME) ARGUMENTS, JACQUARD_RETURN_ADDRESS); \
  }

FILE* fopen(const char* path, const char* mode) {
  return OpenedStream(OpenByName(JACQUARD_REAL(fopen), path, mode, JACQUARD_RETURN_ADDRESS),
                      JACQUARD_RETURN_ADDRESS);
}

FILE* fopen64(const char* path, const char* mode) {
  return OpenedStream(OpenByName(JACQUARD_REAL(fopen64), path, mode, JACQUARD_RETURN_ADDRESS),
                      JACQUARD_RETURN_ADDRESS);
}

JACQUARD_OPENS_STREAM(tmpfile, (), (), )
JACQUARD_OPENS_STREAM(tmpfile64, (), (), )
JACQUARD_OPENS_STREAM(open_memstream, (char** text, size_t* size), (text, size), noexcept)
JACQUARD_OPENS_STREAM(fmemopen, (void* bytes, size_t size, const char* mode), (bytes, size, mode),
                      noexcept)

// The descriptor is the stream's now.
FILE* fdopen(int descriptor, const char* mode) noexcept {
  const bool is_of_program = IsStreamOfProgram(JACQUARD_RETURN_ADDRESS);
  FILE* stream = is_of_program ? jacquard::sim::OpenDescriptorStream(descriptor, mode) : nullptr;
  if (stream == nullptr) {
    stream = JACQUARD_REAL(fdopen)(descriptor, mode);
    if (stream != nullptr && is_of_program) GiveToStream(descriptor);
  }
  return OpenedStream(stream, JACQUARD_RETURN_ADDRESS);
}

int fileno(FILE* stream) noexcept {
  const int descriptor = jacquard::sim::DescriptorOfStream(stream);
  return descriptor >= 0 ? descriptor : JACQUARD_REAL(fileno)(stream);
}

int fileno_unlocked(FILE* stream) noexcept {
  const int descriptor = jacquard::sim::DescriptorOfStream(stream);
  return descriptor >= 0 ? descriptor : JACQUARD_REAL(fileno_unlocked)(stream);
}

FILE* freopen(const char* path, const char* mode, FILE* stream) {
  if (IsByProgram(JACQUARD_RETURN_ADDRESS) && fileno(stream) >= 0 &&
      std::find(files.streams.begin(), files.streams.end(), stream) == files.streams.end()) {
    std::fflush(stream);
    BeforeClose(fileno(stream), JACQUARD_RETURN_ADDRESS);
  }
  if (engine.Simulates()) jacquard::sim::ForgetLockOf(stream);
  return JACQUARD_REAL(freopen)(path, mode, stream);
}

// A stream from before the execution, such as a standard one, is there in the next one, too.
int fclose(FILE* stream) {
  if (engine.Simulates()) jacquard::sim::ForgetLockOf(stream);
  const bool is_own = files.any && Take(files.streams, stream);
  if (!is_own && streams_outside.Has(stream)) {
    if (IsStreamOfProgram(JACQUARD_RETURN_ADDRESS)) return std::fflush(stream);
    streams_outside.Remove(stream);
    if (engine.IsBeforeProgram()) ForgetEarlyStream(stream);
    SetOpenOutside(fileno(stream), false);
  }
  return JACQUARD_REAL(fclose)(stream);
}

DIR* opendir(const char* path) {
  DIR* const directory = JACQUARD_REAL(opendir)(path);
  if (directory == nullptr || !IsByProgram(JACQUARD_RETURN_ADDRESS)) return directory;
  return Opened(files.directories, directory);
}

DIR* fdopendir(int descriptor) {
  DIR* const directory = JACQUARD_REAL(fdopendir)(descriptor);
  if (directory == nullptr || !IsByProgram(JACQUARD_RETURN_ADDRESS)) return directory;
  GiveToStream(descriptor);
  return Opened(files.directories, directory);
}

int closedir(DIR* directory) {
  if (files.any) Take(files.directories, directory);
  return JACQUARD_REAL(closedir)(directory);
}

// ---- the rest

int chdir(const char* path) noexcept {
  BeforeDirectoryChange(JACQUARD_RETURN_ADDRESS);
  return JACQUARD_REAL(chdir)(path);
}

int fchdir(int descriptor) noexcept {
  BeforeDirectoryChange(JACQUARD_RETURN_ADDRESS);
  return JACQUARD_REAL(fchdir)(descriptor);
}

mode_t umask(mode_t mask) noexcept {
  const mode_t old = JACQUARD_REAL(umask)(mask);
  if (IsByProgram(JACQUARD_RETURN_ADDRESS) && !files.has_mask) {
    files.any = files.has_mask = true;
    files.mask = old;
  }
  return old;
}

}  // extern "C"
