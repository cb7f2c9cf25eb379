// Locks and waits in words, for reports.
#ifndef JACQUARD_SIM_WAIT_TEXT_H_
#define JACQUARD_SIM_WAIT_TEXT_H_

#include <string>

#include "sim/held_locks.h"
#include "sim/thread.h"

namespace jacquard::sim {

// What the program calls an object; its address if it has no name for it.
std::string NameOf(const void* object);

// "mutex", "reader/writer lock", ... Never null.
const char* HeldKindName(HeldKind kind);

// What a thread waits for: "sleeps on flag". "can run" if for nothing.
std::string DescribeWait(const SimThread& thread);

// The same of each of the threads: "thread 0 (Lock) waits for the mutex m, held by thread 1 since
// step 4; thread 1 ...". A trace shows where the locks among them were taken.
std::string DescribeWaits(ThreadSet threads);

}  // namespace jacquard::sim

#endif  // JACQUARD_SIM_WAIT_TEXT_H_
