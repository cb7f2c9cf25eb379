// Text for fixed-width output: characters to draw with, width, wrapping, and how untrusted text is
// made printable. Part of the report.
#ifndef JACQUARD_SIM_TEXT_H_
#define JACQUARD_SIM_TEXT_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace jacquard::sim {

// The characters that reports draw with. All but `ellipsis` and `arrow` are one column wide.
struct Glyphs {
  const char* bar;         // inside an operation
  const char* begin;       // an operation begins
  const char* end;         // and ends
  const char* whole;       // an operation on one line
  const char* leave;       // a switch starts here: the thread is outside of any operation
  const char* leave_bar;   // the same, inside one
  const char* line;        // the switch goes on
  const char* cross;       // and crosses an operation
  const char* head_right;  // and ends here
  const char* head_left;
  const char* leave_left;      // as `leave`, for a switch to the left
  const char* leave_bar_left;  // as `leave_bar`, for a switch to the left
  const char* active;          // the thread whose step it is, in a lane
  const char* failed;          // violated here
  const char* chosen;          // not the benign choice
  const char* arrow;           // from old to new
  const char* ellipsis;
};

const Glyphs& GlyphsFor(bool ascii);

// `text` with everything escaped that would break the layout: control characters, bytes that are
// not UTF-8, and, if `ascii`, all that is not ASCII. Longer texts than `limit` characters lose
// their middle.
std::string Printable(std::string_view text, bool ascii, size_t limit = 400);

// How many columns `text` takes: one for each character; `text` is printable.
size_t Width(std::string_view text);

// `text` in lines of at most `width` (at least 1) columns, broken at spaces where possible; all but
// the first begin with `indent` spaces. At least one line.
std::vector<std::string> Wrap(std::string_view text, size_t width, size_t indent);

// `text` and as many spaces as make it `width` columns wide.
std::string Padded(std::string text, size_t width);

// `line` and a newline, without the spaces at its end.
void AppendLine(std::string& out, std::string_view line);

}  // namespace jacquard::sim

#endif  // JACQUARD_SIM_TEXT_H_
