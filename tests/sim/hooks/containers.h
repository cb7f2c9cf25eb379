// Code under test that instantiates the same standard templates as GoogleTest and the runtime do.
#ifndef JACQUARD_TESTS_SIM_HOOKS_CONTAINERS_H_
#define JACQUARD_TESTS_SIM_HOOKS_CONTAINERS_H_

#include <cstddef>

namespace jacquard {

// Each fills a container and returns how many elements it then has.
size_t FillVectorOfStrings();
size_t FillMapOfStrings();
size_t FillSetOfStrings();
size_t FillVectorOfWords();
size_t CallThroughFunctions();

}  // namespace jacquard

#endif  // JACQUARD_TESTS_SIM_HOOKS_CONTAINERS_H_
