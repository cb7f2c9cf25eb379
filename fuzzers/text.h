// The text form of an input, for people: seeds and regressions are written in it.
//
//   # One reader passes a writer that has not yet published its mark.
//   jacquard scenario 2 vma_lock
//   thread 0: lock; start_write vma=1; unlock
//   thread 1: start_read vma=1
//   schedule: +3:1 +0:2
//   memory: +5:0
//
// The first line names the version (1 and 2 are the same) and the target. `thread N:` lists
// operations in order, separated by semicolons, each argument as name=value. `schedule:` lists the
// exceptions: +G:C means that the next G picks have the benign alternative and the one after them
// has the C-th of the others (from 0, modulo their number). `memory:` lists those of weak memory in
// the same way: they count the memory model's picks only, the others all picks but those. A second
// line for the same thread, the schedule or memory continues the first. `#` begins a comment. A
// file that lists nothing is the empty input.
#ifndef JACQUARD_FUZZERS_TEXT_H_
#define JACQUARD_FUZZERS_TEXT_H_

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "fuzzers/codec.h"
#include "fuzzers/input.h"

namespace jacquard::fuzzers {

// Where a text is wrong, and how. Lines and columns count from 1; columns count bytes.
struct TextError {
  int line = 0;
  int column = 0;
  std::string message;

  // "file:line:column: error: message".
  std::string ToString(std::string_view file) const;
};

// Whether `bytes` look like a text form: the first line that is not a comment begins with
// "jacquard". No encoding of an input does.
bool LooksLikeText(std::string_view bytes);

// Reads a text. Nothing, or what is wrong with it; `input` is then undefined.
std::optional<TextError> ParseText(std::string_view text, const Codec& codec, Input& input);

// The canonical text: ParseText gives back an equal input.
std::string FormatText(const Codec& codec, const Input& input);

// What a text of a failure begins with, before the failure's signature: by that it can be called
// after its failure when the bug is fixed.
inline constexpr std::string_view kVerdictComment = "# verdict: ";

// The canonical text behind that comment.
std::string FormatFailure(const Codec& codec, const Input& input, std::string_view signature);

// One operation as the text form has it ("start_write vma=1"), cut to the buffer. Allocates
// nothing.
std::string_view FormatCall(const ScenarioType& type, const Call& call, std::span<char> buffer);

}  // namespace jacquard::fuzzers

#endif  // JACQUARD_FUZZERS_TEXT_H_
