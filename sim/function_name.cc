// Function names as people say them: what ShortFunctionName and its neighbours in sim/symbolize.h
// do.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include "sim/symbolize.h"

namespace jacquard {
namespace {

// Longer template argument lists become "<...>".
constexpr size_t kLongestArguments = 20;

void ReplaceAll(std::string& text, std::string_view from, std::string_view to) {
  for (size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
    text.replace(at, from.size(), to);
}

// The position after the bracket that closes the one at `open`; the end of `text` if none does.
// Comparison and arrow operators inside are too rare to matter: the worst is a longer name.
size_t AfterClosing(std::string_view text, size_t open) {
  int depth = 0;
  for (size_t i = open; i < text.size(); ++i) {
    if (std::string_view("(<[{").find(text[i]) != std::string_view::npos) ++depth;
    if (std::string_view(")>]}").find(text[i]) != std::string_view::npos && --depth == 0)
      return i + 1;
  }
  return text.size();
}

// The length of the operator's symbol at the start of `text` ("()", "<<=", ...); 0 if there is
// none, as in "operator bool".
size_t OperatorSymbolLength(std::string_view text) {
  for (const char* pair : {"()", "[]"}) {
    if (text.starts_with(pair)) return 2;
  }
  const size_t end = text.find_first_not_of("<>=!+-*/%^&|~,");
  size_t length = end == std::string_view::npos ? text.size() : end;
  // "operator< <int>" is written with a space, "operator<<<int>" never; "operator-><int>" is.
  if (text.starts_with("-><")) length = 2;
  return length;
}

// "{lambda(int)#2}" -> "{lambda#2}" (counted from 1); other braces unchanged.
std::string ShortBraces(std::string_view braces) {
  if (!braces.starts_with("{lambda")) return std::string(braces);
  const size_t number = braces.rfind('#');
  if (number == std::string_view::npos) return "{lambda}";
  return "{lambda" + std::string(braces.substr(number));
}

// Behind the name of a lambda's only function, which needs none of its own.
size_t AfterCall(std::string_view text, size_t at) {
  constexpr std::string_view kCall = "::operator()";
  return text.substr(at).starts_with(kCall) ? at + kCall.size() : at;
}

bool EndsWithOperator(std::string_view name) {
  constexpr std::string_view kWord = "operator";
  if (!name.ends_with(kWord)) return false;
  if (name.size() == kWord.size()) return true;
  const char before = name[name.size() - kWord.size() - 1];
  return before == ':' || before == ' ';
}

}  // namespace

std::string ShortFunctionName(std::string_view demangled) {
  std::string text(demangled);
  ReplaceAll(text, "(anonymous namespace)::", "");
  ReplaceAll(text, "std::__cxx11::", "std::");
  ReplaceAll(text, "std::__1::", "std::");
  ReplaceAll(text, "[abi:cxx11]", "");
  ReplaceAll(text, "std::basic_string<char, std::char_traits<char>, std::allocator<char> >",
             "std::string");

  std::string name;
  bool conversion = false;  // inside "operator bool": spaces belong to the name
  for (size_t i = 0; i < text.size();) {
    if (EndsWithOperator(name)) {
      const size_t length = OperatorSymbolLength(std::string_view(text).substr(i));
      if (length > 0) {
        name.append(text, i, length);
        i += length;
        if (text.compare(i, 2, " <") == 0) ++i;  // template arguments, not the end of a type
        continue;
      }
      conversion = text[i] == ' ';
    }
    const char c = text[i];
    if (c == '(') {
      // Parameters. What follows is of interest only if they belong to an enclosing function.
      size_t after = AfterClosing(text, i);
      if (text.compare(after, 6, " const") == 0) after += 6;
      if (text.compare(after, 2, "::") != 0 && !name.empty()) break;
      i = after;
    } else if (c == '<') {
      const size_t after = AfterClosing(text, i);
      const std::string_view arguments = std::string_view(text).substr(i, after - i);
      name += arguments.size() > kLongestArguments ? std::string_view("<...>") : arguments;
      i = after;
    } else if (c == '{') {
      const size_t after = AfterClosing(text, i);
      name += ShortBraces(std::string_view(text).substr(i, after - i));
      i = AfterCall(text, after);
    } else if (text.compare(i, 2, "$_") == 0) {
      // Clang's name for a lambda whose type has no linkage.
      size_t after = text.find_first_not_of("0123456789", i + 2);
      if (after == std::string::npos) after = text.size();
      name += "{lambda$" + text.substr(i + 2, after - i - 2) + "}";
      i = AfterCall(text, after);
    } else if (c == '[' && !name.empty()) {
      i = AfterClosing(text, i);  // "[clone .cold]", ABI tags
    } else if (c == ' ' && !conversion) {
      name.clear();  // what stood before was a return type
      ++i;
    } else {
      name += c;
      ++i;
    }
  }
  while (name.ends_with(' ')) name.pop_back();
  return name.empty() ? std::string(demangled) : name;
}

std::string NamesOfMangled(std::string_view mangled) {
  std::string_view rest = mangled;
  std::string names;
  const auto append = [&names](std::string_view name) {
    if (!names.empty()) names += "::";
    names += name;
  };
  rest.remove_prefix(std::min<size_t>(rest.size(), 2));  // _Z
  // Behind the N of a name with scopes: what it says of *this.
  if (rest.starts_with('N'))
    rest.remove_prefix(std::min(rest.size(), rest.find_first_not_of("NVKRO")));
  if (rest.starts_with("St")) {
    append("std");
    rest.remove_prefix(2);
  }
  for (;;) {
    if (rest.starts_with('L')) rest.remove_prefix(1);  // of one file
    size_t length = 0;
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), length);
    if (error != std::errc()) break;
    rest.remove_prefix(static_cast<size_t>(end - rest.data()));
    const std::string_view name = rest.substr(0, length);
    append(name.starts_with("_GLOBAL__N") ? "(anonymous namespace)" : name);
    rest.remove_prefix(std::min(rest.size(), length));
  }
  if (names.empty()) return std::string(mangled);
  if (rest.starts_with('I')) names += "<...>";
  return names;
}

namespace {

// What calls a scenario's operations.
bool IsHarnessFrame(const SourceFrame& frame) {
  return (frame.file.ends_with("fuzzers/scenario.h") ||
          frame.file.ends_with("fuzzers/scenario_program.cc")) &&
         frame.function.starts_with("jacquard::");
}

bool IsOfCxxLibrary(const std::string& file) {
  return file.find("/include/c++/") != std::string::npos;
}

// A name that the language keeps for its libraries and for the compiler, where these have it. Users
// have such names for functions of their own, too.
bool IsReservedName(const SourceFrame& frame) {
  for (const char* prefix : {"std::", "__gnu_cxx::", "__cxx_global_"}) {
    if (frame.function.starts_with(prefix)) return true;
  }
  return frame.function.starts_with("__") &&
         (frame.file.empty() || frame.file.starts_with("/usr/") || IsOfCxxLibrary(frame.file));
}

}  // namespace

bool IsLibraryFrame(const SourceFrame& frame) {
  if (IsReservedName(frame) || IsHarnessFrame(frame)) return true;
  // Code without line tables ("libc.so.6+0x1234" at worst): not what was compiled for the
  // simulation.
  if (frame.file.empty()) return !frame.function.starts_with("0x");
  return frame.file.starts_with("/usr/") || IsOfCxxLibrary(frame.file);
}

bool IsInstalledHeaderFrame(const SourceFrame& frame) {
  if (IsReservedName(frame) || IsOfCxxLibrary(frame.file)) return false;
  std::string_view path = frame.file;
  if (path.starts_with("/usr/local/include/")) return true;
  constexpr std::string_view kHeaders = "/usr/include/";
  if (!path.starts_with(kHeaders)) return false;
  path.remove_prefix(kHeaders.size());
  constexpr std::string_view kOfMachine = "x86_64-linux-gnu/";
  if (path.starts_with(kOfMachine)) path.remove_prefix(kOfMachine.size());
  // The C library's own lie in no folder, or in one of these.
  if (path.find('/') == std::string_view::npos) return false;
  for (const char* folder : {"bits/", "sys/", "gtest/", "gmock/"}) {
    if (path.starts_with(folder)) return false;
  }
  return true;
}

std::string SourceLocation(const SourceFrame& frame) {
  if (frame.file.empty()) return {};
  if (frame.line == 0) return frame.file;
  return fmt::format("{}:{}", frame.file, frame.line);
}

}  // namespace jacquard
