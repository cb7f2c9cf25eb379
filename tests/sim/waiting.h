// What tests of threads that wait for ever have in common.
#ifndef JACQUARD_TESTS_SIM_WAITING_H_
#define JACQUARD_TESTS_SIM_WAITING_H_

#include <cstdint>
#include <functional>
#include <string>

#include "tests/sim/searches.h"

namespace jacquard {

inline constexpr uint64_t kFewSteps = 700'000;  // of thirty million

inline ExploreResult WalkOnce(const std::function<void()>& body) { return Walk(body, 1); }

inline bool Says(const ExploreResult& result, const char* text) {
  return result.verdict.message.find(text) != std::string::npos;
}

}  // namespace jacquard

#endif  // JACQUARD_TESTS_SIM_WAITING_H_
