#include "sim/caller.h"

#include <vector>

#include "sim/hooked_library.h"

namespace jacquard::sim {
namespace {

// Seldom more than one or two.
std::vector<DataRange> libraries_code;

}  // namespace

bool FromLibraryOfProgram(const void* caller) { return IsIn(libraries_code, caller); }

void MakeLibrariesPartOfProgram() { libraries_code = CodeOfHookedLibraries(); }

}  // namespace jacquard::sim
