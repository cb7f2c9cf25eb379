// What a call of Explore is asked to do: by its options, and by the environment.
#ifndef JACQUARD_JACQUARD_REQUEST_H_
#define JACQUARD_JACQUARD_REQUEST_H_

#include <cstdint>
#include <string>
#include <vector>

#include "jacquard/jacquard.h"
#include "jacquard/token.h"

namespace jacquard::call {

struct Request {
  Options options;
  std::vector<Token> tokens;  // to be replayed, one after another; none: to explore
  bool refused = false;       // nothing is to be done here
  std::string problem;        // why it cannot be done, and what to do; then it is refused
};

// JACQUARD_OPTIONS counts for more than `options`, and so does JACQUARD_REPLAY. A token in
// JACQUARD_REPLAY is for the exploration of which it speaks, told by `body`, and refused by all
// others; one in the options, also of JACQUARD_OPTIONS, is meant for the body that it is given to.
Request MakeRequest(const Options& options, uint32_t body);

}  // namespace jacquard::call

#endif  // JACQUARD_JACQUARD_REQUEST_H_
