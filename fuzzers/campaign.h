// A campaign: one strategy, explored by several processes that share the scenarios and what they
// find.
#ifndef JACQUARD_FUZZERS_CAMPAIGN_H_
#define JACQUARD_FUZZERS_CAMPAIGN_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "fuzzers/codec.h"
#include "fuzzers/explorer.h"
#include "fuzzers/scenarios.h"
#include "jacquard/status_line.h"

namespace jacquard::fuzzers {

struct CampaignOptions {
  ExplorerOptions explorer;  // its executions are those of all processes together
  int jobs = 1;              // at most; never more than executions
  bool given = false;        // the scenarios are few, and explored in turn
};

// What all processes have done together.
struct CampaignStatus : call::SearchStatus {
  uint64_t steps = 0;
  uint64_t failures = 0;
  // By signature, in the order of the executions that it took. With several processes these are
  // those of the one that found it, times their number.
  std::vector<ExplorerBug> bugs;
  // A process did not end as it should: what it was.
  std::string problem;
  bool interrupted = false;  // by a signal, before its end
};

// Runs it to its end, or until a signal asks the process to end (SIGINT, SIGTERM). Calls
// `on_status` a few times a second. The runtime must not have executed anything in this process
// yet: others are forked from it.
CampaignStatus RunCampaign(const Codec& codec, const CampaignOptions& options,
                           const std::function<std::unique_ptr<Scenarios>()>& make_scenarios,
                           const std::function<void(const CampaignStatus& status)>& on_status);

// Whether such a signal has come.
bool CampaignInterrupted();

}  // namespace jacquard::fuzzers

#endif  // JACQUARD_FUZZERS_CAMPAIGN_H_
