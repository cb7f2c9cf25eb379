// Words of commands that are printed for people to copy.
#ifndef JACQUARD_FUZZERS_SHELL_WORD_H_
#define JACQUARD_FUZZERS_SHELL_WORD_H_

#include <string>
#include <string_view>

namespace jacquard::fuzzers {

// `word` so that a shell reads it as one word, and as it is.
inline std::string ShellWord(std::string_view word) {
  constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_=./:,+@%";
  if (!word.empty() && word.find_first_not_of(kPlain) == word.npos) return std::string(word);
  std::string text = "'";
  for (const char c : word) {
    if (c == '\'') {
      text += "'\\''";
    } else {
      text += c;
    }
  }
  return text + "'";
}

}  // namespace jacquard::fuzzers

#endif  // JACQUARD_FUZZERS_SHELL_WORD_H_
