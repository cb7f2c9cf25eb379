// Results that outlast the process, so that a measurement of hours can be stopped and taken up
// again.
#ifndef JACQUARD_TOOLS_FIGURES_KEPT_RESULTS_H_
#define JACQUARD_TOOLS_FIGURES_KEPT_RESULTS_H_

#include <string>
#include <vector>

#include "fuzzers/child_process.h"

namespace jacquard::figures {

// From now on RunChildOnce keeps results in `folder`, which is made if need be.
void KeepResultsIn(const std::string& folder);

// RunChild in `scratch`, in which there may be no files yet, for a command that takes long and
// depends on nothing but its words and the content of the files and folders that they name. If its
// result is kept, takes that over, with the time that it took and with the files that it left in
// its folder, though not in folders there. What a signal ended is not kept.
ChildResult RunChildOnce(const std::vector<std::string>& command, const ScratchFolder& scratch);

}  // namespace jacquard::figures

#endif  // JACQUARD_TOOLS_FIGURES_KEPT_RESULTS_H_
