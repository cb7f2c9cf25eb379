// What a campaign has found, as a short list; and from there into the corpus.
#ifndef JACQUARD_FUZZERS_TRIAGE_H_
#define JACQUARD_FUZZERS_TRIAGE_H_

#include <string>
#include <vector>

#include "fuzzers/codec.h"
#include "fuzzers/command_line.h"

namespace jacquard::fuzzers {

// How this program is run again.
struct Rerun {
  std::string program;             // its path
  std::vector<std::string> flags;  // what it has to be told again
  std::string replay;  // what a person types, flags included, to be followed by the file
};

// Groups the inputs in the folder `line.file` by their failures' signatures. Of each group the
// smallest is minimised, written as a text to the folder `line.output` (in that folder,
// reproducers/ if none is given) and replayed ten times. Prints the list, with times of the files'
// last change. Each execution has a process of its own, so that one that hangs or crashes is an
// entry like any other. Nothing is deleted or overwritten: what an earlier triage has written is
// taken over. Costs some 30 ms for each file, and what minimising costs for each group. Returns the
// exit status: a failure if anything fails.
int Triage(const CommandLine& line, const Codec& codec, const Rerun& rerun);

// Writes the input `line.file` as a text to the folder `line.output`, named after the signature of
// its failure: what it fails with now, or what it says in a comment "# verdict: SIGNATURE", as
// those that Triage writes. Prints the path. Returns the exit status.
int AddRegression(const CommandLine& line, const Codec& codec, const Rerun& rerun);

// A name for files of this failure: letters, digits, - and _.
std::string NameOfSignature(const std::string& signature);

}  // namespace jacquard::fuzzers

#endif  // JACQUARD_FUZZERS_TRIAGE_H_
