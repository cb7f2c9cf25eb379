// The known bugs on real threads, under the sanitizers that anybody would use: for comparison.
#ifndef JACQUARD_TOOLS_FIGURES_REAL_THREADS_H_
#define JACQUARD_TOOLS_FIGURES_REAL_THREADS_H_

#include <string>
#include <vector>

#include "tools/figures/figure.h"

namespace jacquard::figures {

std::vector<Measurement> RealThreads();

// docs/known_bugs_real_threads.md; "" before it has been measured.
std::string RealThreadsPage();

}  // namespace jacquard::figures

#endif  // JACQUARD_TOOLS_FIGURES_REAL_THREADS_H_
