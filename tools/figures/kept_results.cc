#include "tools/figures/kept_results.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string_view>

#include "tools/figures/text.h"

namespace jacquard::figures {
namespace {

namespace fs = std::filesystem;

std::string keeper;  // the folder; "" if nothing is kept

// Of a file, or of all files in a folder with their names.
std::string ContentOf(const fs::path& path) {
  if (!fs::is_directory(path)) return ReadText(path);
  std::vector<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(path)) {
    if (entry.is_regular_file()) files.push_back(entry.path());
  }
  std::ranges::sort(files);
  std::string content;
  for (const fs::path& file : files)
    content += fs::relative(file, path).string() + '\0' + ReadText(file) + '\0';
  return content;
}

// The same for the same command: neither where the programs stand nor where they run matters.
std::string NameOf(const std::vector<std::string>& command, const std::string& scratch) {
  std::string text;
  for (const std::string& word : command) {
    if (fs::exists(word)) {
      text += fmt::format("{:016x}", std::hash<std::string>()(ContentOf(word)));
    } else if (const size_t at = word.find(scratch); at != std::string::npos) {
      text += std::string(word).replace(at, scratch.size(), ".");
    } else {
      text += word;
    }
    text += '\n';
  }
  return fmt::format("{}-{:016x}", fs::path(command[0]).filename().string(),
                     std::hash<std::string>()(text));
}

constexpr std::string_view kResult = "result.json";
constexpr std::string_view kFiles = "files";

void Keep(const ChildResult& result, const std::string& scratch, const fs::path& place) {
  // Renamed when it is whole.
  const fs::path draft = place.string() + ".part";
  fs::remove_all(draft);
  fs::create_directories(draft);
  fs::copy(scratch, draft / kFiles);  // its files, but no folders: a corpus may be large
  std::ofstream file(draft / kResult);
  file << nlohmann::json{{"exit_status", result.exit_status},
                         {"cpu_seconds", result.cpu_seconds},
                         {"resident_bytes", result.resident_bytes},
                         {"output", result.output}}
              .dump(1, ' ', false, nlohmann::json::error_handler_t::replace)
       << "\n";
  if (!file.flush()) throw std::runtime_error("cannot write to " + draft.string());
  fs::rename(draft, place);
}

ChildResult TakeOver(const std::string& scratch, const fs::path& place) {
  fs::copy(place / kFiles, scratch);
  const auto json = nlohmann::json::parse(ReadText(place / kResult));
  return {json["exit_status"], json["cpu_seconds"], json["resident_bytes"], json["output"]};
}

}  // namespace

void KeepResultsIn(const std::string& folder) { keeper = folder; }

ChildResult RunChildOnce(const std::vector<std::string>& command, const ScratchFolder& scratch) {
  if (keeper.empty()) return RunChild(command, scratch.path());
  const fs::path place = fs::path(keeper) / NameOf(command, scratch.path());
  if (fs::exists(place)) return TakeOver(scratch.path(), place);
  const ChildResult result = RunChild(command, scratch.path());
  if (result.exit_status < 128) Keep(result, scratch.path(), place);
  return result;
}

}  // namespace jacquard::figures
