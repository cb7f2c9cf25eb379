// Where two traces of what should have been the same execution differ, and why they may.
#ifndef JACQUARD_JACQUARD_DIFFERENCE_H_
#define JACQUARD_JACQUARD_DIFFERENCE_H_

#include <string>

#include "sim/trace.h"
#include "sim/verdict.h"

namespace jacquard::call {

// A sentence: the first step that differs, and what it read that may have made the difference.
std::string DescribeDifference(const Trace& one, const Trace& other);

// The verdict on a body that goes another way: what happened ("": an execution that passes, with
// the same choices), and the difference, if it is known.
Verdict NondeterministicVerdict(const std::string& what, const std::string& difference);

// The verdict on a body in which nothing can be seen.
Verdict NoStepVerdict();

}  // namespace jacquard::call

#endif  // JACQUARD_JACQUARD_DIFFERENCE_H_
