// The known bugs of tests/known_bugs: how soon each is caught, and the page that says so.
#ifndef JACQUARD_TOOLS_FIGURES_KNOWN_BUGS_H_
#define JACQUARD_TOOLS_FIGURES_KNOWN_BUGS_H_

#include <string>
#include <vector>

#include "tools/figures/figure.h"

namespace jacquard::figures {

std::vector<Measurement> KnownBugs();

// The page, as Markdown; "" if the figure "known_bugs" has not been measured.
std::string KnownBugsPage();

}  // namespace jacquard::figures

#endif  // JACQUARD_TOOLS_FIGURES_KNOWN_BUGS_H_
