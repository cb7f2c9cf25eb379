// The process's own thread-local storage for the runtime's own calls, where giving the running
// thread some would cost a system call.
#ifndef JACQUARD_SIM_LENT_STORAGE_H_
#define JACQUARD_SIM_LENT_STORAGE_H_

#include "sim/caller.h"
#include "sim/engine.h"

namespace jacquard::sim {

// While it exists, what the runtime asks of the C library costs the running thread no storage. Does
// nothing if `caller`, a return address, is not the runtime's.
class LentStorage {
 public:
  explicit LentStorage(const void* caller) : lent_(FromRuntime(caller) && engine.LendStorage()) {}
  ~LentStorage() {
    if (lent_) [[unlikely]]
      engine.TakeStorageBack();
  }
  LentStorage(const LentStorage&) = delete;
  LentStorage& operator=(const LentStorage&) = delete;

 private:
  bool lent_;
};

}  // namespace jacquard::sim

#endif  // JACQUARD_SIM_LENT_STORAGE_H_
