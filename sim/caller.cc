#include "sim/caller.h"

#include <algorithm>
#include <vector>

#include "sim/hooked_library.h"

namespace jacquard::sim {
namespace {

// Seldom more than one or two.
std::vector<DataRange> libraries_code;

}  // namespace

bool FromLibraryOfProgram(const void* caller) {
  return std::ranges::any_of(libraries_code, [caller](const DataRange& code) {
    return caller >= code.begin && caller < code.end;
  });
}

void MakeLibrariesPartOfProgram() { libraries_code = CodeOfHookedLibraries(); }

}  // namespace jacquard::sim
