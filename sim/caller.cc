#include "sim/caller.h"

#include <vector>

#include "sim/hooked_library.h"

namespace jacquard::sim {
namespace {

// Seldom more than one or two.
std::vector<DataRange> libraries_code;

constinit bool (*is_in_opened_one)(const void* caller) = nullptr;

}  // namespace

bool FromLibraryOfProgram(const void* caller) {
  return IsIn(libraries_code, caller) || (is_in_opened_one != nullptr && is_in_opened_one(caller));
}

void MakeLibrariesPartOfProgram() { libraries_code = CodeOfHookedLibraries(); }

void MakeOpenedLibrariesPartOfProgram(bool (*contains)(const void* caller)) {
  is_in_opened_one = contains;
}

}  // namespace jacquard::sim
