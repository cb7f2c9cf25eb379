#include "tools/figures/text.h"

#include <fmt/format.h>

#include <fstream>
#include <regex>
#include <sstream>
#include <stdexcept>

namespace jacquard::figures {

std::string ReadText(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  if (!file) throw std::runtime_error("cannot read " + path.string());
  return text.str();
}

std::string Find(const std::string& text, const char* pattern) {
  std::smatch match;
  const std::regex regex(pattern, std::regex::multiline);
  if (!std::regex_search(text, match, regex))
    throw std::runtime_error(fmt::format("no {} in {}", pattern, text));
  return match[1];
}

}  // namespace jacquard::figures
