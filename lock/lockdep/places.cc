#include "lock/lockdep/places.h"

#include "sim/symbolize.h"

namespace jacquard::lock::lockdep {
namespace {

bool IsOfValidator(const SourceFrame& frame) {
  return frame.file.find("lock/lockdep/") != std::string::npos &&
         frame.file.find("tests/") == std::string::npos;
}

std::string Describe(const SourceFrame& frame) {
  const std::string location = SourceLocation(frame);
  return location.empty() ? frame.function : frame.function + " (" + location + ")";
}

}  // namespace

std::string DescribePlace(std::uintptr_t place) {
  if (place == 0) return "?";
  const std::vector<SourceFrame> frames = Symbolize(place);
  for (const SourceFrame& frame : frames) {
    if (!IsOfValidator(frame) && !IsLibraryFrame(frame)) return Describe(frame);
  }
  return Describe(frames.back());
}

std::vector<std::string> DescribeStack(const Stack& stack) {
  std::vector<std::string> lines;
  for (int i = 0; i < stack.count; ++i) {
    for (const SourceFrame& frame : Symbolize(stack.frames[i])) {
      if (!IsOfValidator(frame)) lines.push_back(Describe(frame));
    }
  }
  return lines;
}

}  // namespace jacquard::lock::lockdep
