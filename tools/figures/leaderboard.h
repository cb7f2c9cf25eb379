// The leaderboard of strategies.
#ifndef JACQUARD_TOOLS_FIGURES_LEADERBOARD_H_
#define JACQUARD_TOOLS_FIGURES_LEADERBOARD_H_

#include <string>
#include <vector>

#include "tools/figures/figure.h"

namespace jacquard::figures {

std::vector<Measurement> Leaderboard();

// docs/leaderboard.md; "" before the leaderboard has been measured.
const std::string& LeaderboardPage();

// So many seeds of each strategy are run, at least 1; 20 if nobody says otherwise.
void SetLeaderboardSeeds(int seeds);

}  // namespace jacquard::figures

#endif  // JACQUARD_TOOLS_FIGURES_LEADERBOARD_H_
