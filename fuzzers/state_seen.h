// A state of the locks under test, and the operation in which it was seen.
#ifndef JACQUARD_FUZZERS_STATE_SEEN_H_
#define JACQUARD_FUZZERS_STATE_SEEN_H_

namespace jacquard::fuzzers {

// The scenario's StateFeature was `state` after a step in `operation` (-1: outside of any).
struct StateSeen {
  int state;
  int operation;
  auto operator<=>(const StateSeen&) const = default;
};

}  // namespace jacquard::fuzzers

#endif  // JACQUARD_FUZZERS_STATE_SEEN_H_
