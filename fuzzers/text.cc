// The text form: a recursive-descent parser over one line at a time, and a printer.
#include "fuzzers/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstdint>
#include <vector>

namespace jacquard::fuzzers {
namespace {

constexpr std::string_view kFileType = "jacquard";

bool IsSpace(char c) { return c == ' ' || c == '\t' || c == '\r'; }
bool IsWordCharacter(char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; }

// Takes the first line off `text`, without its comment.
std::string_view TakeLine(std::string_view& text) {
  const size_t end = text.find('\n');
  std::string_view line = text.substr(0, end);
  text.remove_prefix(end == text.npos ? text.size() : end + 1);
  return line.substr(0, line.find('#'));
}

// Throws TextError; nothing else does.
class Parser {
 public:
  Parser(std::string_view text, const Codec& codec, Input& input)
      : text_(text), codec_(codec), type_(codec.type()), input_(input) {}

  void Parse() {
    input_.Clear(type_.min_threads);
    bool header = false;
    while (!text_.empty()) {
      line_ = TakeLine(text_);
      ++line_number_;
      position_ = 0;
      if (AtEnd()) continue;
      if (header) {
        ParseLine();
      } else {
        ParseHeader();
        header = true;
      }
    }
    if (!header) Error(0, fmt::format("empty; expected {}", ExpectedHeader()));
  }

 private:
  [[noreturn]] void Error(size_t position, std::string message) const {
    throw TextError{std::max(line_number_, 1), static_cast<int>(position) + 1, std::move(message)};
  }

  void SkipSpace() {
    while (position_ < line_.size() && IsSpace(line_[position_])) ++position_;
  }
  bool AtEnd() {
    SkipSpace();
    return position_ == line_.size();
  }
  // What stands at the position, for messages.
  std::string Found() {
    if (AtEnd()) return "the end of the line";
    size_t end = position_;
    while (end < line_.size() && !IsSpace(line_[end]) && line_[end] != ';') ++end;
    std::string found;
    for (const char c : line_.substr(position_, std::clamp<size_t>(end - position_, 1, 40))) {
      const auto u = static_cast<unsigned char>(c);
      found += std::isprint(u) ? std::string(1, c) : fmt::format("\\x{:02x}", u);
    }
    return "\"" + found + "\"";
  }
  // A word, or "" if there is none.
  std::string_view Word() {
    SkipSpace();
    const size_t start = position_;
    while (position_ < line_.size() && IsWordCharacter(line_[position_])) ++position_;
    return line_.substr(start, position_ - start);
  }
  void Expect(char c, std::string_view where) {
    SkipSpace();
    if (position_ == line_.size() || line_[position_] != c) {
      Error(position_, fmt::format("expected \"{}\" {}, found {}", c, where, Found()));
    }
    ++position_;
  }
  // A number from 0 to `largest`.
  uint32_t Number(uint32_t largest, std::string_view what) {
    SkipSpace();
    const size_t start = position_;
    uint32_t value = 0;
    const char* first = line_.data() + start;
    const char* last = line_.data() + line_.size();
    const auto [end, error] = std::from_chars(first, last, value);
    if (error == std::errc::invalid_argument) {
      Error(start,
            fmt::format("expected {}, a number from 0 to {}, found {}", what, largest, Found()));
    }
    position_ = static_cast<size_t>(end - line_.data());
    if (error != std::errc{} || value > largest) {
      Error(start, fmt::format("{} is {}; allowed are 0 to {}", what,
                               line_.substr(start, position_ - start), largest));
    }
    return value;
  }

  std::string ExpectedHeader() const {
    return fmt::format("\"jacquard scenario {} {}\"", kVersion, codec_.name());
  }

  void ParseHeader() {
    SkipSpace();
    const size_t start = position_;
    if (Word() != kFileType || Word() != "scenario") {
      Error(start, fmt::format("expected {}", ExpectedHeader()));
    }
    SkipSpace();
    size_t at = position_;
    if (const std::string_view version = Word();
        version.size() != 1 || !IsKnownVersion(static_cast<uint8_t>(version[0] - '0'))) {
      Error(at, fmt::format("version \"{}\" is not known; this program reads versions {} to {}",
                            version, kFirstVersion, kVersion));
    }
    SkipSpace();
    at = position_;
    if (const std::string_view name = Word(); name != codec_.name()) {
      Error(at, fmt::format("the text is for target \"{}\", this program is \"{}\"", name,
                            codec_.name()));
    }
    ExpectEnd();
  }

  void ExpectEnd() {
    if (!AtEnd()) Error(position_, fmt::format("expected the end of the line, found {}", Found()));
  }

  void ParseLine() {
    const size_t start = position_;
    const std::string_view word = Word();
    if (word == "thread") {
      ParseThread();
    } else if (word == "schedule") {
      Expect(':', "after \"schedule\"");
      while (!AtEnd()) ParseException(kMaxChoice, kMaxExceptions, &Input::AddException);
    } else if (word == "memory") {
      Expect(':', "after \"memory\"");
      while (!AtEnd())
        ParseException(kMaxMemoryChoice, kMaxMemoryExceptions, &Input::AddMemoryException);
    } else {
      position_ = start;
      Error(start,
            fmt::format("expected \"thread N:\", \"schedule:\" or \"memory:\", found {}", Found()));
    }
  }

  void ParseThread() {
    const auto thread =
        static_cast<int>(Number(static_cast<uint32_t>(type_.max_threads - 1), "the thread"));
    Expect(':', "after the thread's number");
    if (AtEnd()) return;
    for (;;) {
      ParseCall(thread);
      if (AtEnd()) return;
      Expect(';', "between operations");
      if (AtEnd()) return;  // a semicolon may end the line
    }
  }

  void ParseCall(int thread) {
    SkipSpace();
    const size_t start = position_;
    const std::string_view name = Word();
    int index = 0;
    while (index < type_.operation_count && name != type_.operations[index].name) ++index;
    if (index == type_.operation_count) {
      position_ = start;
      std::vector<std::string_view> names;
      for (int i = 0; i < type_.operation_count; ++i) names.push_back(type_.operations[i].name);
      Error(start, fmt::format("expected an operation, found {}; there are: {}", Found(),
                               fmt::join(names, ", ")));
    }
    const OperationType& operation = type_.operations[index];
    Call call{.operation = static_cast<uint8_t>(index)};
    bool given[kMaxArguments] = {};
    for (;;) {
      SkipSpace();
      const size_t at = position_;
      const std::string_view argument_name = Word();
      if (argument_name.empty()) break;
      int a = 0;
      while (a < operation.arity && argument_name != operation.arguments[a].name) ++a;
      if (a == operation.arity) {
        Error(at,
              fmt::format("{} has no argument \"{}\"; {}", name, argument_name, Usage(operation)));
      }
      if (given[a]) Error(at, fmt::format("argument {} is given twice", argument_name));
      given[a] = true;
      Expect('=', "after the name of an argument");
      call.arguments[a] =
          static_cast<uint8_t>(Number(static_cast<uint32_t>(operation.arguments[a].count - 1),
                                      fmt::format("argument {}", argument_name)));
    }
    for (int a = 0; a < operation.arity; ++a) {
      if (!given[a]) {
        Error(position_, fmt::format("argument {} of {} is missing; {}",
                                     operation.arguments[a].name, name, Usage(operation)));
      }
    }
    if (!input_.AddCall(thread, call)) {
      Error(start, fmt::format("thread {} has more than {} operations", thread, kMaxOperations));
    }
  }

  // "allowed is: read_lock vma=0..2".
  static std::string Usage(const OperationType& operation) {
    std::string text = fmt::format("allowed is: {}", operation.name);
    for (int a = 0; a < operation.arity; ++a) {
      text +=
          fmt::format(" {}=0..{}", operation.arguments[a].name, operation.arguments[a].count - 1);
    }
    return text;
  }

  void ParseException(uint32_t max_choice, int most, bool (Input::*add)(Exception)) {
    const size_t start = position_;
    Exception exception;
    Expect('+', "before an exception, as in +3:1");
    exception.gap = Number(kMaxGap, "the gap");
    Expect(':', "after the gap, as in +3:1");
    exception.choice = Number(max_choice, "the choice");
    if (!(input_.*add)(exception)) {
      Error(start, fmt::format("there are more than {} exceptions", most));
    }
  }

  std::string_view text_;
  const Codec& codec_;
  const ScenarioType& type_;
  Input& input_;
  std::string_view line_;
  int line_number_ = 0;
  size_t position_ = 0;
};

}  // namespace

std::string TextError::ToString(std::string_view file) const {
  return fmt::format("{}:{}:{}: error: {}", file, line, column, message);
}

bool LooksLikeText(std::string_view bytes) {
  while (!bytes.empty()) {
    std::string_view line = TakeLine(bytes);
    while (!line.empty() && IsSpace(line.front())) line.remove_prefix(1);
    if (!line.empty()) return line.starts_with(kFileType);
  }
  return false;
}

std::optional<TextError> ParseText(std::string_view text, const Codec& codec, Input& input) {
  try {
    Parser(text, codec, input).Parse();
  } catch (TextError& error) {
    return std::move(error);
  }
  return std::nullopt;
}

std::string_view FormatCall(const ScenarioType& type, const Call& call, std::span<char> buffer) {
  const OperationType& operation = type.operations[call.operation];
  char* const end = buffer.data() + buffer.size();
  char* p = buffer.data();
  p = fmt::format_to_n(p, end - p, "{}", operation.name).out;
  for (int a = 0; a < operation.arity; ++a) {
    p = fmt::format_to_n(p, end - p, " {}={}", operation.arguments[a].name, call.arguments[a]).out;
  }
  return {buffer.data(), static_cast<size_t>(p - buffer.data())};
}

std::string FormatText(const Codec& codec, const Input& input) {
  std::string text = fmt::format("jacquard scenario {} {}\n", kVersion, codec.name());
  char buffer[256];
  for (int t = 0; t < input.threads(); ++t) {
    text += fmt::format("thread {}:", t);
    const char* separator = " ";
    for (const Call& call : input.calls(t)) {
      text += separator;
      text += FormatCall(codec.type(), call, buffer);
      separator = "; ";
    }
    text += '\n';
  }
  const auto append = [&text](const char* key, std::span<const Exception> exceptions) {
    if (exceptions.empty()) return;
    text += key;
    for (const Exception& exception : exceptions) {
      text += fmt::format(" +{}:{}", exception.gap, exception.choice);
    }
    text += '\n';
  };
  append("schedule:", input.exceptions());
  append("memory:", input.memory_exceptions());
  return text;
}

std::string FormatFailure(const Codec& codec, const Input& input, std::string_view signature) {
  return fmt::format("{}{}\n{}", kVerdictComment, signature, FormatText(codec, input));
}

}  // namespace jacquard::fuzzers
