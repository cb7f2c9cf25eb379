#include "sim/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>

namespace jacquard::sim {
namespace {

constexpr Glyphs kUnicode = {.bar = "│",
                             .begin = "┌",
                             .end = "└",
                             .whole = "╶",
                             .leave = "╰",
                             .leave_bar = "├",
                             .line = "─",
                             .cross = "┼",
                             .head_right = "▸",
                             .head_left = "◂",
                             .leave_left = "╯",
                             .leave_bar_left = "┤",
                             .active = "●",
                             .failed = "✗",
                             .chosen = "*",
                             .arrow = "→",
                             .ellipsis = "…"};

constexpr Glyphs kAscii = {.bar = "|",
                           .begin = ",",
                           .end = "`",
                           .whole = "-",
                           .leave = "`",
                           .leave_bar = "|",
                           .line = "-",
                           .cross = "+",
                           .head_right = ">",
                           .head_left = "<",
                           .leave_left = "'",
                           .leave_bar_left = "|",
                           .active = "o",
                           .failed = "!",
                           .chosen = "*",
                           .arrow = "->",
                           .ellipsis = "..."};

// The length of the well-formed UTF-8 character at the start of `text`; 0 if there is none.
// Overlong forms and surrogates do not occur in what compilers and people write, and harm nobody.
size_t CharacterLength(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(text[i]); };
  const uint8_t first = byte(0);
  size_t length = 0;
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first < 0xE0) length = 2;
  if (first >= 0xE0 && first < 0xF0) length = 3;
  if (first >= 0xF0 && first < 0xF5) length = 4;
  if (length > text.size()) return 0;
  for (size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  return length;
}

bool IsControl(std::string_view character) {
  const auto first = static_cast<uint8_t>(character[0]);
  if (character.size() == 1) return first < 0x20 || first == 0x7F;
  return character.size() == 2 && first == 0xC2 && static_cast<uint8_t>(character[1]) < 0xA0;
}

// The position after `columns` characters of `text` from `begin`.
size_t Advance(std::string_view text, size_t begin, size_t columns) {
  size_t at = begin;
  for (; at < text.size() && columns > 0; --columns) {
    ++at;
    while (at < text.size() && (static_cast<uint8_t>(text[at]) & 0xC0) == 0x80) ++at;
  }
  return at;
}

// Where to break `text`, of which [begin, end) would fit a line: at a space, rather not inside
// parentheses. Returns `end` if there is no place.
size_t BreakBefore(std::string_view text, size_t begin, size_t end) {
  const size_t space = text.rfind(' ', end);
  if (space == std::string_view::npos || space <= begin) return end;
  const size_t open = text.rfind('(', space);
  const bool inside = open != std::string_view::npos && open > begin + 1 &&
                      text.substr(open, space - open).find(')') == std::string_view::npos;
  if (!inside || text[open - 1] != ' ') return space;
  // Only if they fit the next line.
  const size_t close = text.find(')', space);
  const bool fits = close != std::string_view::npos && close - open < (end - begin) / 2;
  return fits ? open - 1 : space;
}

}  // namespace

const Glyphs& GlyphsFor(bool ascii) { return ascii ? kAscii : kUnicode; }

std::string Printable(std::string_view text, bool ascii, size_t limit) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size();) {
    const size_t length = CharacterLength(text.substr(i));
    const std::string_view character = text.substr(i, std::max<size_t>(length, 1));
    if (character == "\n") {
      out += "\\n";
    } else if (length == 0 || IsControl(character)) {
      for (const char byte : character) out += fmt::format("\\x{:02x}", static_cast<uint8_t>(byte));
    } else if (length > 1 && ascii) {
      out += '?';
    } else {
      out += character;
    }
    i += character.size();
  }
  const size_t width = Width(out);
  if (width <= limit) return out;
  const size_t kept = limit / 2;
  const std::string_view view = out;
  return std::string(view.substr(0, Advance(view, 0, kept))) + GlyphsFor(ascii).ellipsis +
         std::string(view.substr(Advance(view, 0, width - kept)));
}

size_t Width(std::string_view text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char byte) {
    return (static_cast<uint8_t>(byte) & 0xC0) != 0x80;
  }));
}

std::vector<std::string> Wrap(std::string_view text, size_t width, size_t indent) {
  std::vector<std::string> lines;
  for (size_t begin = 0; begin < text.size() || lines.empty();) {
    const size_t margin = lines.empty() ? 0 : std::min(indent, width - 1);
    size_t end = Advance(text, begin, width - margin);
    size_t next = end;
    if (end < text.size()) {
      end = BreakBefore(text, begin, end);
      next = end + (text[end] == ' ' ? 1 : 0);
    }
    lines.push_back(std::string(margin, ' ') + std::string(text.substr(begin, end - begin)));
    begin = next;
  }
  return lines;
}

std::string Padded(std::string text, size_t width) {
  const size_t now = Width(text);
  if (now < width) text.append(width - now, ' ');
  return text;
}

void AppendLine(std::string& out, std::string_view line) {
  const size_t last = line.find_last_not_of(' ');
  out += last == std::string_view::npos ? std::string_view() : line.substr(0, last + 1);
  out += '\n';
}

}  // namespace jacquard::sim
