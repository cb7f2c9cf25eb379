// State that the runtime cannot see: it lives in code without hooks.
#ifndef JACQUARD_TESTS_SIM_UNINSTRUMENTED_H_
#define JACQUARD_TESTS_SIM_UNINSTRUMENTED_H_

namespace jacquard {

// Sets the hidden counter to 0.
void ResetHiddenCounter();
// Adds 1 to the hidden counter and returns it.
int CountHidden();
// The same with a counter of the calling thread.
int CountHiddenOfThread();

// Changes a text and a map that all threads share, in an order that is not to be seen.
void ChangeHiddenContainers(int key);

}  // namespace jacquard

#endif  // JACQUARD_TESTS_SIM_UNINSTRUMENTED_H_
