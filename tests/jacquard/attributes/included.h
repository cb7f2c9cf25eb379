// What the attributes of a target add up to, if each has reached the compiler.
#ifndef JACQUARD_TESTS_JACQUARD_ATTRIBUTES_INCLUDED_H_
#define JACQUARD_TESTS_JACQUARD_ATTRIBUTES_INCLUDED_H_

#ifndef NDEBUG
#error "features"
#endif

inline constexpr int kFromAttributes = FROM_DEFINES + FROM_LOCAL_DEFINES;

#endif  // JACQUARD_TESTS_JACQUARD_ATTRIBUTES_INCLUDED_H_
