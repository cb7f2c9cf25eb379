// How fast the per-VMA lock is, beside its peers: stress/benchmarks.
#ifndef JACQUARD_TOOLS_FIGURES_BENCHMARKS_H_
#define JACQUARD_TOOLS_FIGURES_BENCHMARKS_H_

#include <string>
#include <utility>
#include <vector>

#include "tools/figures/figure.h"

namespace jacquard::figures {

std::vector<Measurement> Benchmarks();

// docs/benchmarks.md, from what the last run of the measurement has found and, for the simulated
// runtime's part, from those of `figures` that tell of it. "" if it has not run.
std::string BenchmarksPage(const std::vector<Figure>& figures);

// The page's pictures, which stand beside it: file names and contents.
std::vector<std::pair<std::string, std::string>> BenchmarksPictures();

}  // namespace jacquard::figures

#endif  // JACQUARD_TOOLS_FIGURES_BENCHMARKS_H_
