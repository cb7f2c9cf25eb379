// A plot as an SVG picture that needs nothing beside itself.
#ifndef JACQUARD_TOOLS_FIGURES_PLOT_H_
#define JACQUARD_TOOLS_FIGURES_PLOT_H_

#include <string>
#include <utility>
#include <vector>

namespace jacquard::figures {

struct Line {
  std::string name;
  std::vector<std::pair<double, double>> points;  // all positive, by x
};

// The lines in a frame whose axes are both logarithmic, with a grid line at each power of ten. At
// most four lines, each with one point or more.
std::string PlotLogarithmic(const std::string& title, const std::string& x_axis,
                            const std::string& y_axis, const std::vector<Line>& lines);

}  // namespace jacquard::figures

#endif  // JACQUARD_TOOLS_FIGURES_PLOT_H_
