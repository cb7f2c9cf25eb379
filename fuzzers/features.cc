#include "fuzzers/features.h"

namespace jacquard::fuzzers {

__attribute__((section("__libfuzzer_extra_counters"), used)) Features features;

}  // namespace jacquard::fuzzers
