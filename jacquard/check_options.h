// What can be said of options before anything is done with them.
#ifndef JACQUARD_JACQUARD_CHECK_OPTIONS_H_
#define JACQUARD_JACQUARD_CHECK_OPTIONS_H_

#include <string>

#include "jacquard/jacquard.h"

namespace jacquard::call {

// What is wrong with the numbers in `options`, wherever they come from, as ParseOptions says it; ""
// if nothing is.
std::string CheckOptions(const Options& options);

}  // namespace jacquard::call

#endif  // JACQUARD_JACQUARD_CHECK_OPTIONS_H_
