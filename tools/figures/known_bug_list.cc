#include "tools/figures/known_bug_list.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <stdexcept>
#include <utility>

#include "tools/figures/text.h"

namespace jacquard::figures {
namespace {

std::vector<std::string> only;

KnownBug Load(const std::filesystem::path& folder) {
  const std::string text = ReadText(folder / "bug.md");
  const std::string input = ReadText(folder / "input.txt");
  std::string verdict = Find(input, "^# verdict: (.*)$");
  std::ranges::replace(verdict, '|', ',');
  return {folder.filename(), Find(text, "^# (.*)$"), Find(text, "^When: (.*)$"), verdict,
          Find(input, "^jacquard scenario \\d+ (.*)$")};
}

}  // namespace

void OnlyKnownBugs(std::vector<std::string> names) { only = std::move(names); }

std::vector<KnownBug> ListKnownBugs() {
  for (const std::string& name : only) {
    if (std::filesystem::exists(fmt::format("{}/{}/bug.md", kKnownBugsFolder, name))) continue;
    throw std::runtime_error(fmt::format("no known bug is called \"{}\": {} has a folder for each",
                                         name, kKnownBugsFolder));
  }
  std::vector<KnownBug> bugs;
  for (const auto& entry : std::filesystem::directory_iterator(kKnownBugsFolder)) {
    const std::string name = entry.path().filename();
    if (!std::filesystem::exists(entry.path() / "bug.md")) continue;
    if (only.empty() || std::ranges::find(only, name) != only.end())
      bugs.push_back(Load(entry.path()));
  }
  std::ranges::sort(bugs, {}, &KnownBug::name);
  return bugs;
}

std::string OnlyKnownBugsFlag() {
  return only.empty() ? "" : fmt::format(" --only-bugs {}", fmt::join(only, ","));
}

std::string NewCorpus(const ScratchFolder& scratch) {
  std::string folder = scratch.path() + "/corpus";
  std::filesystem::create_directory(folder);
  return folder;
}

std::string LinkTo(const KnownBug& bug) {
  return fmt::format("[{}](../{}/{}/bug.md)", bug.title, kKnownBugsFolder, bug.name);
}

}  // namespace jacquard::figures
