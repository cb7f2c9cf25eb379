// Values and accesses that the compiler knows nothing about.
#ifndef JACQUARD_TESTS_SIM_ACCESSES_H_
#define JACQUARD_TESTS_SIM_ACCESSES_H_

#include <cstddef>
#include <cstdlib>

namespace jacquard {

// The same value, of which the compiler no longer knows where it comes from.
template <class T>
T Hide(T value) {
  asm volatile("" : "+r"(value)::"memory");
  return value;
}

template <class T = char>
T* Make(size_t size) {
  return Hide(static_cast<T*>(std::malloc(size)));
}

// Its loads and stores have hooks, and are not optimised away.
template <class T>
T Read(const T* address) {
  return Hide(*Hide(address));
}
template <class T>
void Write(T* address, T value) {
  *Hide(address) = value;
  Hide(address);
}

}  // namespace jacquard

#endif  // JACQUARD_TESTS_SIM_ACCESSES_H_
