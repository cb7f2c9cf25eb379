// What must stay without a report: the lock as it is, and the controls of tests/controls.
#ifndef JACQUARD_TOOLS_FIGURES_CONTROLS_H_
#define JACQUARD_TOOLS_FIGURES_CONTROLS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "tools/figures/figure.h"

namespace jacquard::figures {

// The bar: so many executions in total.
inline constexpr uint64_t kControlExecutions = 1'000'000'000;

std::vector<Measurement> Controls();

// docs/controls.md; "" before they have been measured.
std::string ControlsPage();

// So many executions of all targets together, at least 1000, the explorer's seed, and how many
// explorers run at a time. kControlExecutions, 1 and 1 if nobody says otherwise.
void SetControls(uint64_t executions, uint64_t seed, int jobs);

}  // namespace jacquard::figures

#endif  // JACQUARD_TOOLS_FIGURES_CONTROLS_H_
