// Text files, and what is found in them.
#ifndef JACQUARD_TOOLS_FIGURES_TEXT_H_
#define JACQUARD_TOOLS_FIGURES_TEXT_H_

#include <filesystem>
#include <string>

namespace jacquard::figures {

// The whole file. Throws std::runtime_error when it cannot be read.
std::string ReadText(const std::filesystem::path& path);

// What the first group of `pattern` matches in `text`, whose lines ^ and $ stand for. Throws
// std::runtime_error if there is nothing.
std::string Find(const std::string& text, const char* pattern);

}  // namespace jacquard::figures

#endif  // JACQUARD_TOOLS_FIGURES_TEXT_H_
