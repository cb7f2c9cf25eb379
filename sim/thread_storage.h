// Thread-local storage of simulated threads: each borrows that of a real thread which is parked for
// ever. Only the first thread of a program with a main of its own has the storage of the process's
// first thread: what it is called, and what its variables are, constructors of globals have seen.
//
// A parked thread's FS base is written at every fiber switch; `thread_local`, `errno` and
// `pthread_self()` then belong to the simulated thread. The parked threads' own stacks, and with
// them their thread-local storage, lie at fixed addresses.
//
// Writing the FS base takes longer than all the rest of a switch, and most code under test has no
// use for it. So a simulated thread gets its storage *on demand*: until its first access, the FS
// base points to memory that may not be accessed. The access faults, the handler (faults.cc) writes
// the FS base, and the access is repeated. It has its storage for the rest of the execution; the
// thread of a number that asks in most executions has it from the start in nearly all. In a series
// of executions (ExecutionSeries) the process's own thread gets its storage back in that way, too.
#ifndef JACQUARD_SIM_THREAD_STORAGE_H_
#define JACQUARD_SIM_THREAD_STORAGE_H_

#include <pthread.h>

#include <cstdint>
#include <vector>

#include "sim/hooked_library.h"

namespace jacquard::sim {

struct ThreadStorage {
  uint64_t fs_base = 0;
  pthread_t pthread = 0;
  int* error = nullptr;  // its errno
};

// Whether the processor and the kernel allow the instructions that read and write the FS base.
extern bool has_fsgsbase;

// Finds out about the processor and remembers the calling thread's storage as the process's own.
// Call once.
void InitThreadStorage();

// Starts the parked thread number `index` and returns its storage. Must be called under the
// process's own FS base.
ThreadStorage ParkThread(int index);

inline constexpr uintptr_t kParkArea = 0x1100'0000'0000;
// The logarithm of the distance from the memory of one parked thread to that of the next.
[[gnu::visibility("hidden")]] extern int park_shift;

// The number of the parked thread whose storage `address` lies in. If it lies in none, a number
// that no thread has.
inline uintptr_t OwnerOfStorage(uintptr_t address) { return (address - kParkArea) >> park_shift; }

// Where the variables of the executable, and of shared libraries with hooks, lie in `storage`.
std::vector<DataRange> VariablesIn(const ThreadStorage& storage);

// Whether one of them lies at `address`, and which: an address in the memory of its module, and its
// place behind the first variable of that.
bool FindVariable(const ThreadStorage& storage, const void* address, const void*& module,
                  size_t& place);

// The thread-local variables in `storage` are to be as they are now whenever they are reset.
void KeepThreadStorage(const ThreadStorage& storage);

// Puts the thread-local variables of the executable, and of shared libraries with hooks, back to
// their initial values, or those that are kept, in the storage `storage`, and errno to 0. Other
// shared libraries keep theirs.
void ResetThreadStorage(const ThreadStorage& storage);

// The slower way, by system call.
void WriteFsBaseBySystemCall(uint64_t fs_base);

// Makes `fs_base` the running one: about 5 ns with the instruction, 100 ns without, and 5 µs in
// virtual machines where that takes a call of the hypervisor. (The compiler's own function for it
// is inlined only into code for processors that all have it.)
inline void WriteFsBase(uint64_t fs_base) {
  if (has_fsgsbase) [[likely]] {
    asm volatile("wrfsbase %0" : : "r"(fs_base) : "memory");
  } else {
    WriteFsBaseBySystemCall(fs_base);
  }
}

// The running one. Without the instruction it is read from the storage itself: a simulated thread
// that has none gets it.
inline uint64_t ReadFsBase() {
  uint64_t fs_base;
  if (has_fsgsbase) [[likely]] {
    asm volatile("rdfsbase %0" : "=r"(fs_base));
  } else {
    asm volatile("mov %%fs:0, %0" : "=r"(fs_base));
  }
  return fs_base;
}

// The same where there may be no storage, and nobody gives it.
uint64_t ReadFsBaseInHandler();

// The FS base of threads that have no storage yet, in the middle of memory that may not be
// accessed.
inline constexpr uint64_t kNoStorage = 0x1180'0080'0000;
inline constexpr uint64_t kNoStorageReach = 0x80'0000;  // below and above

// Whether an access to `address` is one to thread-local storage that is not there.
inline bool IsInNoStorage(uintptr_t address) {
  return address - (kNoStorage - kNoStorageReach) < 2 * kNoStorageReach;
}

// Reserves that memory. False: storage on demand is not possible here.
bool ReserveNoStorage();

}  // namespace jacquard::sim

#endif  // JACQUARD_SIM_THREAD_STORAGE_H_
