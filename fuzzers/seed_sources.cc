#include "fuzzers/seed_sources.h"

#include <fmt/format.h>

#include <fstream>

#include "fuzzers/files.h"

namespace jacquard::fuzzers {
namespace {

// What the line begins with. By the content: names differ between the list and the engine.
std::string Key(std::span<const uint8_t> bytes) { return fmt::format("{:016x} ", HashOf(bytes)); }

}  // namespace

std::string SeedSource(std::span<const uint8_t> bytes, const std::string& path) {
  return Key(bytes) + path + "\n";
}

std::string SourceOfSeed(const std::string& list, std::span<const uint8_t> bytes) {
  const std::string key = Key(bytes);
  std::ifstream lines(list);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with(key)) return line.substr(key.size());
  }
  return {};
}

}  // namespace jacquard::fuzzers
