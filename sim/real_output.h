// What functions have in common that may have to wait for room (real_waits.h has input).
#ifndef JACQUARD_SIM_REAL_OUTPUT_H_
#define JACQUARD_SIM_REAL_OUTPUT_H_

#include <sys/types.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>

namespace jacquard::sim {

// What is tried until it need not wait any more, and then has been done.
class Attempt {
 public:
  template <class Try>
  bool Succeeds(const Try& try_it) {
    if (!done_) {
      result_ = try_it();
      error_ = errno;
      done_ = result_ >= 0 || (error_ != EAGAIN && error_ != EWOULDBLOCK);
    }
    return done_;
  }
  // Leaves the error in errno.
  ssize_t Result() const {
    errno = error_;
    return result_;
  }

 private:
  bool done_ = false;
  ssize_t result_ = -1;
  int error_ = EAGAIN;
};

// While it exists, no call waits for the file. Leaves errno as it is.
class NonBlocking {
 public:
  explicit NonBlocking(int file);
  ~NonBlocking();
  NonBlocking(const NonBlocking&) = delete;
  NonBlocking& operator=(const NonBlocking&) = delete;

 private:
  int file_;
  int flags_;
};

// Of a pipe's end where one writes, or of a socket.
bool NobodyReads(int file);

// Who writes there gets a signal, and if that does not end it all, an error: returns -1.
ssize_t FailToWrite(uintptr_t pc);

// What write() does that is called at `pc`.
ssize_t WriteTo(int file, const void* bytes, size_t size, uintptr_t pc);
// What write() to a pipe or a socket does that neither waits nor raises a signal.
ssize_t WriteWithoutWait(int file, const void* bytes, size_t size);

}  // namespace jacquard::sim

#endif  // JACQUARD_SIM_REAL_OUTPUT_H_
