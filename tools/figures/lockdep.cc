// What the lock validator costs.
#include <fmt/format.h>

#include <regex>
#include <stdexcept>
#include <utility>

#include "fuzzers/child_process.h"
#include "tools/figures/figure.h"

namespace jacquard::figures {
namespace {

// The program compares by itself, and says for each lock how many times as long it takes.
std::vector<Figure> Measure() {
  constexpr std::pair<const char*, const char*> kLocks[] = {
      {"mmap_read", "the mmap lock"},
      {"vma_read", "the lock of a VMA"},
      {"mmap_read_within_two", "the mmap lock, with two other locks held"},
  };
  const ScratchFolder scratch;
  const ChildResult result = RunChild({Program("tools/figures/lockdep_costs")}, scratch.path());
  if (result.exit_status != 0) throw std::runtime_error("lockdep_costs failed:\n" + result.output);
  std::vector<Figure> figures;
  for (const auto& [name, what] : kLocks) {
    std::smatch match;
    if (!std::regex_search(
            result.output, match,
            std::regex(fmt::format(R"((?:^|\n){} ([0-9.]+) ([0-9.]+) ([0-9.]+))", name)))) {
      throw std::runtime_error("lockdep_costs says nothing of " + std::string(name));
    }
    figures.push_back(
        {fmt::format("lockdep_{}", name), std::stod(match[1]), "times", Bar::kAtMost, 10,
         fmt::format("an uncontended read lock and unlock of {} with the validator, compared with "
                     "the same without ({:.3g} ns and {:.3g} ns here); CPU time of a million each, "
                     "by turns, median of 21 rounds",
                     what, std::stod(match[3]), std::stod(match[2]))});
  }
  return figures;
}

}  // namespace

std::vector<Measurement> Lockdep() {
  return {{"lockdep", "what the lock validator costs", Measure}};
}

}  // namespace jacquard::figures
