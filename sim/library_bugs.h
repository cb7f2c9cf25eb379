// Faults of the C++ library that are known, so that they are not taken for the program's.
//
// libstdc++ 12 loses wake-ups in std::latch, in std::counting_semaphore and in std::atomic's waits,
// and its std::atomic<std::shared_ptr> has a data race (docs/findings.md). Who uses them as the
// standard has them is right. Unless ExecutionOptions::library_bugs is set, they do what the
// standard promises:
// * A notification looks whether anybody waits: that look, and a waiter's announcement, are full
//   fences. A notification that the program forgets is still missing.
// * Who sleeps in std::counting_semaphore::acquire although there is a unit is woken when nobody
//   else can run. Its release() always notifies: the program cannot have forgotten that.
// * Accesses of std::atomic<std::shared_ptr> to its own pointer do not race.
#ifndef JACQUARD_SIM_LIBRARY_BUGS_H_
#define JACQUARD_SIM_LIBRARY_BUGS_H_

#include <cstddef>
#include <cstdint>

#include "sim/thread.h"

namespace jacquard::sim {

// An execution begins. `reported`: the library is taken as it is written.
void BeginLibraryBugs(bool reported);

// Where the library counts who waits for atomic objects; empty if the program has no such waits, or
// if the library is taken as it is written.
struct WaiterCounts {
  uintptr_t begin = 0;
  size_t size = 0;
};
[[gnu::visibility("hidden")]] extern WaiterCounts waiter_counts;

// Whether `address` lies there.
inline bool IsWaiterCount(const void* address) {
  return reinterpret_cast<uintptr_t>(address) - waiter_counts.begin < waiter_counts.size;
}

// Nobody can run: wakes those who sleep in std::counting_semaphore::acquire although there is a
// unit; false if there is nobody. Reads debug information.
bool WakeOverlooked();

// Whether an access of the thread at `pc` is one of std::atomic<std::shared_ptr> to its own
// pointer. Reads debug information.
bool IsInAtomicSharedPtr(const SimThread& thread, uintptr_t pc);

}  // namespace jacquard::sim

#endif  // JACQUARD_SIM_LIBRARY_BUGS_H_
