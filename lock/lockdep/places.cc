#include "lock/lockdep/places.h"

#include "lock/lockdep/this_thread.h"
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
  const std::vector<SourceFrame> frames = LookUp(place);
  for (const SourceFrame& frame : frames) {
    if (!IsOfValidator(frame) && !IsLibraryFrame(frame)) return Describe(frame);
  }
  return Describe(frames.back());
}

std::vector<std::string> DescribeStack(const Stack& stack) {
  std::vector<std::string> lines;
  std::vector<std::string> of_libraries;
  for (int i = 0; i < stack.count; ++i) {
    for (const SourceFrame& frame : LookUp(stack.frames[i])) {
      if (IsOfValidator(frame)) continue;
      (IsLibraryFrame(frame) ? of_libraries : lines).push_back(Describe(frame));
    }
  }
  return lines.empty() ? of_libraries : lines;
}

}  // namespace jacquard::lock::lockdep
