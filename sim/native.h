// The native form of sim/runtime.h: the same functions for programs that run on real threads.
//
// Whoever runs the threads (stress/native_executor.h) tells this file which thread is which and
// what happens on a failure.
#ifndef JACQUARD_SIM_NATIVE_H_
#define JACQUARD_SIM_NATIVE_H_

#include <cstdint>
#include <functional>
#include <string_view>

namespace jacquard {

// What CurrentThread() returns on the calling thread from now on, and the seed of its PickData.
void SetNativeThread(int thread, uint64_t seed);

// Called by Fail() on the thread that failed, instead of printing; must not return. Set it before
// there are threads.
using NativeFailureHandler = std::function<void(std::string_view rule, std::string_view message)>;
void SetNativeFailureHandler(NativeFailureHandler handler);

}  // namespace jacquard

#endif  // JACQUARD_SIM_NATIVE_H_
