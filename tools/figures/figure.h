// A figure: a measured number with the bar that it has to clear.
#ifndef JACQUARD_TOOLS_FIGURES_FIGURE_H_
#define JACQUARD_TOOLS_FIGURES_FIGURE_H_

#include <functional>
#include <string>
#include <vector>

namespace jacquard::figures {

enum class Bar { kAtLeast, kAtMost };

struct Figure {
  std::string name;
  double value = 0;
  std::string unit;
  Bar bar_kind = Bar::kAtLeast;
  double bar = 0;
  std::string how;  // what was measured, in a sentence

  bool holds() const { return bar_kind == Bar::kAtLeast ? value >= bar : value <= bar; }
};

// A measurement that yields one figure or several. Its name selects it on the command line.
struct Measurement {
  std::string name;
  std::string description;
  std::function<std::vector<Figure>()> run;
};

// The path of a program that the figures are measured with, by its path in the tree.
std::string Program(const std::string& target);

double Median(std::vector<double> values);

// A Markdown table, a row each.
std::string ToMarkdown(const std::vector<Figure>& figures);

// All there are, in the order in which they are run.
std::vector<Measurement> Speed();
std::vector<Measurement> WeakMemory();
std::vector<Measurement> Peers();
std::vector<Measurement> PlantedBugs();
std::vector<Measurement> Minimizing();
std::vector<Measurement> Guidance();
std::vector<Measurement> UnitTests();
std::vector<Measurement> Lockdep();
std::vector<Measurement> Stress();
std::vector<Measurement> Timeline();

}  // namespace jacquard::figures

#endif  // JACQUARD_TOOLS_FIGURES_FIGURE_H_
