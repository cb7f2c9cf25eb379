// How much of the source of lock/ the seeds of its fuzz targets reach.
#ifndef JACQUARD_TOOLS_FIGURES_SOURCE_COVERAGE_H_
#define JACQUARD_TOOLS_FIGURES_SOURCE_COVERAGE_H_

#include <string>
#include <vector>

#include "tools/figures/figure.h"

namespace jacquard::figures {

// Runs every fuzz target of lock/ once over its corpus, with Clang's source coverage (llvm-profdata
// and llvm-cov of the package llvm-19).
std::vector<Measurement> SourceCoverage();

// The page of docs/ with a row for each file and a list of what is not reached. "" if it has not
// been measured.
std::string SourceCoveragePage(const std::vector<Figure>& figures);

}  // namespace jacquard::figures

#endif  // JACQUARD_TOOLS_FIGURES_SOURCE_COVERAGE_H_
