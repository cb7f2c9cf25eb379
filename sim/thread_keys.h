// What pthread_setspecific and pthread_key_create leave, in an execution and after it.
#ifndef JACQUARD_SIM_THREAD_KEYS_H_
#define JACQUARD_SIM_THREAD_KEYS_H_

namespace jacquard::sim {

// The running thread ends: the destructors of its values.
void RunKeyDestructors();
// After an execution.
void DropKeys();
// The calling thread's values are those that thread 0 begins with, in each execution.
void KeepKeyValues();
// A new thread gets the number of one that has ended.
void DropKeyValues(int thread);
// Calls `visit(value, data)` for each value that they have left.
void VisitKeyValues(void (*visit)(void* value, void* data), void* data);

}  // namespace jacquard::sim

#endif  // JACQUARD_SIM_THREAD_KEYS_H_
