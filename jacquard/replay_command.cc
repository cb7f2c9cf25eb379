#include "jacquard/replay_command.h"

#include <fmt/format.h>
#include <limits.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "fuzzers/shell_word.h"

namespace jacquard::call {

std::string ReadArguments() {
  // Through the C library: the C++ library calls functions by names that the program may have, too.
  std::string words;
  if (std::FILE* const file = std::fopen("/proc/self/cmdline", "re")) {
    for (int c; (c = std::fgetc(file)) != EOF;) words += static_cast<char>(c);
    static_cast<void>(std::fclose(file));
  }
  std::string text;
  for (size_t begin = words.find('\0') + 1; begin < words.size();) {  // not the program's name
    const std::string word = words.c_str() + begin;
    text += " " + fuzzers::ShellWord(word);
    begin += word.size() + 1;
  }
  return text;
}

std::string ReplayCommand(const std::string& token, const std::string& test, bool is_program,
                          const std::string& arguments) {
  if (const char* const target = std::getenv("TEST_TARGET")) {
    const std::string filter = test.empty() ? "" : " --test_filter=" + test;
    return fmt::format("bazel test {}{} --test_output=all --test_env=JACQUARD_REPLAY={}", target,
                       filter, token);
  }
  char path[PATH_MAX];
  const ssize_t length = readlink("/proc/self/exe", path, sizeof(path));
  const std::string program =
      length > 0 ? fuzzers::ShellWord(std::string(path, static_cast<size_t>(length))) : "PROGRAM";
  std::string command = "JACQUARD_REPLAY=" + token + " ";
  if (!is_program) return command + program + (test.empty() ? "" : " --gtest_filter=" + test);
  // With it, all arguments are the program's.
  if (const char* const given = std::getenv("JACQUARD_OPTIONS"))
    command += "JACQUARD_OPTIONS=" + fuzzers::ShellWord(given) + " ";
  return command + program + arguments;
}

}  // namespace jacquard::call
