// The example of docs/lockdep.md.
#ifndef JACQUARD_TESTS_LOCK_LOCKDEP_EXAMPLE_H_
#define JACQUARD_TESTS_LOCK_LOCKDEP_EXAMPLE_H_

namespace jacquard {

// Two threads, one after the other, move money between the same accounts.
void TransferBothWays();

}  // namespace jacquard

#endif  // JACQUARD_TESTS_LOCK_LOCKDEP_EXAMPLE_H_
