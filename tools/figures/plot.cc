#include "tools/figures/plot.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace jacquard::figures {
namespace {

constexpr double kWidth = 720, kHeight = 400;
constexpr double kLeft = 70, kRight = 190, kTop = 40, kBottom = 50;
constexpr std::array<const char*, 4> kColours = {"#0b6", "#c33", "#36c", "#a70"};

// From values to places on one axis: the powers of ten around all values.
class Axis {
 public:
  Axis(const std::vector<double>& values, double begin, double end)
      : low_(std::floor(std::log10(*std::ranges::min_element(values)))),
        high_(std::max(low_ + 1, std::ceil(std::log10(*std::ranges::max_element(values))))),
        begin_(begin),
        end_(end) {}
  double Place(double value) const {
    return begin_ + (std::log10(value) - low_) / (high_ - low_) * (end_ - begin_);
  }
  int low() const { return static_cast<int>(low_); }
  int high() const { return static_cast<int>(high_); }

 private:
  double low_, high_, begin_, end_;
};

std::string Text(double x, double y, const char* anchor, const std::string& text) {
  return fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"{}\">{}</text>\n", x, y, anchor,
                     text);
}

std::string GridLine(double x1, double y1, double x2, double y2) {
  return fmt::format(
      "<line x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\" stroke=\"#ddd\"/>\n", x1, y1,
      x2, y2);
}

std::string Power(int exponent) {
  return fmt::format("10<tspan dy=\"-5\" font-size=\"9\">{}</tspan>", exponent);
}

}  // namespace

std::string PlotLogarithmic(const std::string& title, const std::string& x_axis,
                            const std::string& y_axis, const std::vector<Line>& lines) {
  std::vector<double> xs, ys;
  for (const Line& line : lines) {
    for (const auto& [x, y] : line.points) {
      xs.push_back(x);
      ys.push_back(y);
    }
  }
  const double right = kWidth - kRight, bottom = kHeight - kBottom;
  const Axis x_places(xs, kLeft, right), y_places(ys, bottom, kTop);
  std::string svg = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {0} {1}\" width=\"{0}\" "
      "height=\"{1}\" font-family=\"sans-serif\" font-size=\"13\">\n"
      "<rect width=\"{0}\" height=\"{1}\" fill=\"white\"/>\n",
      kWidth, kHeight);
  svg += Text(kLeft, 24, "start", title);
  for (int power = x_places.low(); power <= x_places.high(); ++power) {
    const double x = x_places.Place(std::pow(10, power));
    svg += GridLine(x, kTop, x, bottom) + Text(x, bottom + 18, "middle", Power(power));
  }
  for (int power = y_places.low(); power <= y_places.high(); ++power) {
    const double y = y_places.Place(std::pow(10, power));
    svg += GridLine(kLeft, y, right, y) + Text(kLeft - 6, y + 4, "end", Power(power));
  }
  svg += Text((kLeft + right) / 2, kHeight - 10, "middle", x_axis);
  svg += fmt::format("<g transform=\"rotate(-90)\">{}</g>\n",
                     Text(-(kTop + bottom) / 2, 18, "middle", y_axis));
  for (size_t i = 0; i < lines.size(); ++i) {
    const char* const colour = kColours.at(i);
    std::string path;
    for (const auto& [x, y] : lines[i].points)
      path += fmt::format("{:.1f},{:.1f} ", x_places.Place(x), y_places.Place(y));
    svg += fmt::format("<polyline points=\"{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"2\"/>\n",
                       path, colour);
    for (const auto& [x, y] : lines[i].points) {
      svg += fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"3\" fill=\"{}\"/>\n",
                         x_places.Place(x), y_places.Place(y), colour);
    }
    svg += fmt::format(
        "<g fill=\"{}\">{}</g>\n", colour,
        Text(right + 10, kTop + 20 * static_cast<double>(i + 1), "start", lines[i].name));
  }
  return svg + "</svg>\n";
}

}  // namespace jacquard::figures
