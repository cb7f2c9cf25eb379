#include "sim/thread_table.h"

#include <sys/syscall.h>
#include <unistd.h>

#include "sim/real.h"

namespace jacquard::sim {

int ThreadTable::CurrentTid() const {
  const bool is_main = is_program_ && current->id == 0;  // perhaps in a process of its own
  return is_main ? static_cast<int>(RawSyscall(SYS_getpid)) : TidOf(*current);
}

SimThread* ThreadTable::FindThreadOfTid(int tid) {
  const int id = is_program_ && tid == getpid() ? 0 : ThreadOfTid(tid);
  return id >= 0 && id < thread_count_ ? &threads_[id] : nullptr;
}

SimThread* ThreadTable::FindThread(pthread_t pthread) {
  for (int i = 0; i < thread_count_; ++i) {
    if (threads_[i].storage.pthread == pthread) return &threads_[i];
  }
  return nullptr;
}

ThreadLocal ThreadTable::FindThreadLocal(const void* address) const {
  ThreadLocal found;
  for (int i = 0; i < thread_count_; ++i) {
    if (!FindVariable(threads_[i].storage, address, found.module, found.place)) continue;
    found.thread = i;
    break;
  }
  return found;
}

}  // namespace jacquard::sim
