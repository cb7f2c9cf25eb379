// Where two traces of what should have been the same execution differ, and why they may.
#ifndef JACQUARD_JACQUARD_DIFFERENCE_H_
#define JACQUARD_JACQUARD_DIFFERENCE_H_

#include <string>

#include "sim/trace.h"

namespace jacquard::call {

// A sentence: the first step that differs, and what it read that may have made the difference.
std::string DescribeDifference(const Trace& one, const Trace& other);

}  // namespace jacquard::call

#endif  // JACQUARD_JACQUARD_DIFFERENCE_H_
