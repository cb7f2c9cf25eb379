#include "tests/sim/hooks/containers.h"

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace jacquard {
namespace {

constexpr int kCount = 20;

std::string Text(int i) {
  return "a text that is too long to be kept in place, number " + std::to_string(i);
}

}  // namespace

size_t FillVectorOfStrings() {
  std::vector<std::string> texts;
  for (int i = 0; i < kCount; ++i) texts.push_back(Text(i));
  return texts.size();
}

size_t FillMapOfStrings() {
  std::map<std::string, std::string> texts;
  for (int i = 0; i < kCount; ++i) texts[Text(i)] = Text(i + 1);
  return texts.size();
}

size_t FillSetOfStrings() {
  std::set<std::string> texts;
  for (int i = 0; i < kCount; ++i) texts.insert(Text(i));
  return texts.size();
}

size_t FillVectorOfWords() {
  std::vector<uint64_t> words;
  for (uint64_t i = 0; i < kCount; ++i) words.push_back(i);
  return words.size();
}

size_t CallThroughFunctions() {
  std::vector<std::function<void(const std::string&)>> functions;
  size_t total = 0;
  for (int i = 0; i < kCount; ++i) {
    functions.emplace_back([&total](const std::string& text) { total += text.empty() ? 0 : 1; });
  }
  for (const auto& function : functions) function("x");
  return total;
}

}  // namespace jacquard
