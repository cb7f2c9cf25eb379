// Thread-local storage on demand (thread_storage.h): who has it, and when it is not possible.
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "sim/engine.h"
#include "sim/faults.h"
#include "sim/real.h"

namespace jacquard::sim {
namespace {

// Whether a debugger or another tracer would see each first access as a fault of the program.
bool IsTraced() {
  const int file = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
  if (file < 0) return true;
  char text[4096];
  const ssize_t length = ::read(file, text, sizeof(text) - 1);
  close(file);
  if (length <= 0) return true;
  text[length] = 0;
  const char* const line = std::strstr(text, "TracerPid:\t");
  return line == nullptr || line[std::strlen("TracerPid:\t")] != '0';
}

// Whether the caller is the process's first thread, which executes.
bool IsFirstThread() { return RawSyscall(SYS_gettid) == RawSyscall(SYS_getpid); }

}  // namespace

void Engine::BeginStorageOnDemand() {
  storage_on_demand_ = ReserveNoStorage() && !IsTraced() && !FaultsMayBeBlocked();
}

bool Engine::GiveStorage(uintptr_t address) {
  if (ReadFsBaseInHandler() != kNoStorage) return false;
  const bool is_request = IsInNoStorage(address);
  // By the handler of a signal that has come in the middle of UseFsBase.
  if (fs_base_ != kNoStorage) {
    WriteFsBase(fs_base_);
    return is_request;
  }
  if (is_request) {
    constexpr int kLongestHold = 1024;
    constexpr int kGrowth = 32;
    current->storage_hold = current->next_storage_hold;
    current->next_storage_hold = std::min(kLongestHold, current->next_storage_hold * kGrowth);
  }
  current->fs_base = current->storage.fs_base;
  UseFsBase(current->fs_base);
  return is_request;
}

void Engine::EndSeries() {
  if (--series_ > 0 || driver_.fs_base != kNoStorage) return;
  driver_.fs_base = driver_.storage.fs_base;
  UseFsBase(driver_.fs_base);
}

void Engine::GiveStorageToAll() {
  storage_on_demand_ = false;
  stage_.fs_base = stage_.storage.fs_base;
  for (int i = 0; i < parked_; ++i) threads_[i].fs_base = threads_[i].storage.fs_base;
  driver_.fs_base = driver_.storage.fs_base;
  if (executing ? OnExecutingThread() : IsFirstThread()) UseFsBase(current->fs_base);
}

}  // namespace jacquard::sim
