// Which operations get in each other's way: what strategies for partial orders look at.
#ifndef JACQUARD_SIM_OPERATIONS_H_
#define JACQUARD_SIM_OPERATIONS_H_

#include "sim/strategy.h"

namespace jacquard {

// An operation that a thread is about to do, or has done.
struct Operation {
  StepKind kind = StepKind::kOther;
  const void* address = nullptr;  // null: on nothing, or not known
  Site site = 0;
};

inline bool OnlyReads(StepKind kind) {
  return kind == StepKind::kLoad || kind == StepKind::kPlainRead;
}

// Whether others can tell from what it leaves behind that it has happened: a store, but also taking
// and leaving a lock.
inline bool Changes(const Operation& operation) {
  return operation.address != nullptr && !OnlyReads(operation.kind);
}

// Whether it depends on what others did before it.
inline bool Looks(const Operation& operation) {
  return operation.address != nullptr && operation.kind != StepKind::kStore &&
         operation.kind != StepKind::kPlainWrite && operation.kind != StepKind::kMutexUnlock &&
         operation.kind != StepKind::kSharedUnlock;
}

// Whether the order of the two may matter: they are on one object, and one of them changes it.
inline bool Race(const Operation& a, const Operation& b) {
  return a.address != nullptr && a.address == b.address && (Changes(a) || Changes(b));
}

}  // namespace jacquard

#endif  // JACQUARD_SIM_OPERATIONS_H_
