// The same sections, locked by a lock as it is and by one with the validator's hook and
// NoValidator, each in a section of its own of the object file.
#include "tests/lock/lockdep/compiled_out.h"

namespace jacquard::lock::lockdep {

__attribute__((section("plain_code"), noinline)) void PlainSections(SpinLock& lock, int& count) {
  lock.lock();
  ++count;
  lock.unlock();
  lock.lock_shared();
  --count;
  lock.unlock_shared();
}

__attribute__((section("hooked_code"), noinline)) void HookedSections(
    Checked<SpinLock, AcquireMode::kShared, NoValidator>& lock, int& count) {
  lock.lock();
  ++count;
  lock.unlock();
  lock.lock_shared();
  --count;
  lock.unlock_shared();
}

__attribute__((section("checked_code"), noinline)) void CheckedSections(Checked<SpinLock>& lock,
                                                                        int& count) {
  lock.lock();
  ++count;
  lock.unlock();
  lock.lock_shared();
  --count;
  lock.unlock_shared();
}

}  // namespace jacquard::lock::lockdep
