// The real functions behind those that the runtime defines itself.
#ifndef JACQUARD_SIM_REAL_H_
#define JACQUARD_SIM_REAL_H_

#include <pthread.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>

#include <cstddef>
#include <cstdint>

// glibc's allocator under the names that nobody interposes.
extern "C" {
void* __libc_malloc(size_t);
void* __libc_calloc(size_t, size_t);
void* __libc_realloc(void*, size_t);
void* __libc_memalign(size_t, size_t);
void __libc_free(void*);
}

namespace jacquard::sim {

// A system call without errno, thread-local storage, or the interposed syscall(): the kernel's
// result as it is.
inline int64_t RawSyscall(int64_t number, uint64_t a = 0, uint64_t b = 0, uint64_t c = 0,
                          uint64_t d = 0, uint64_t e = 0, uint64_t f = 0) {
  int64_t result;
  register uint64_t r10 asm("r10") = d;
  register uint64_t r8 asm("r8") = e;
  register uint64_t r9 asm("r9") = f;
  asm volatile("syscall"
               : "=a"(result)
               : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
               : "rcx", "r11", "memory");
  return result;
}

// Copies memory that may not be there any more: how many bytes, or a negative error: -EFAULT, or
// what a sandbox makes of it. A system call.
inline int64_t CopyIfThere(void* to, const void* from, size_t size) {
  const iovec here = {to, size};
  const iovec there = {const_cast<void*>(from), size};
  return RawSyscall(SYS_process_vm_readv, static_cast<uint64_t>(RawSyscall(SYS_getpid)),
                    reinterpret_cast<uintptr_t>(&here), 1, reinterpret_cast<uintptr_t>(&there), 1);
}

// Looks `name` up behind the executable. Ends the process if there is no such function.
void* FindReal(const char* name);

}  // namespace jacquard::sim

namespace jacquard::sim {

// "f" for "f" and for "abi::f".
constexpr const char* Unqualified(const char* name) {
  const char* result = name;
  for (; *name != 0; ++name) {
    if (*name == ':') result = name + 1;
  }
  return result;
}

}  // namespace jacquard::sim

namespace jacquard::sim::real {

// Finds the function at its first call.
int pthread_create(pthread_t*, const pthread_attr_t*, void* (*)(void*), void*);

}  // namespace jacquard::sim::real

// Within an interposer: the real function of the given name, with the interposer's own type.
#define JACQUARD_REAL(name)                                              \
  ([] {                                                                  \
    static const auto function = reinterpret_cast<decltype(&name)>(      \
        ::jacquard::sim::FindReal(::jacquard::sim::Unqualified(#name))); \
    return function;                                                     \
  }())

#endif  // JACQUARD_SIM_REAL_H_
