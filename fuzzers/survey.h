// What a corpus reaches, input by input: for the report of a campaign.
#ifndef JACQUARD_FUZZERS_SURVEY_H_
#define JACQUARD_FUZZERS_SURVEY_H_

#include "fuzzers/codec.h"
#include "fuzzers/command_line.h"
#include "fuzzers/form.h"

namespace jacquard::fuzzers {

// Executes the inputs `line.files`, and all in those of them that are folders, three times each and
// prints, as JSON, which states of the locks they reach in which operations, and how long each
// takes (docs/campaigns.md has the schema). Simulated form only. Returns the exit status.
int Survey(const CommandLine& line, const Codec& codec, FormOptions options);

}  // namespace jacquard::fuzzers

#endif  // JACQUARD_FUZZERS_SURVEY_H_
