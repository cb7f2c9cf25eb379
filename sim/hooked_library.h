// Shared libraries that were compiled with the hooks: they are part of the program under test, and
// where that has a main of its own their variables begin each execution anew, as the executable's
// do.
#ifndef JACQUARD_SIM_HOOKED_LIBRARY_H_
#define JACQUARD_SIM_HOOKED_LIBRARY_H_

#include <link.h>

#include <span>
#include <vector>

namespace jacquard::sim {

// Whether the code of a module calls hooks. Costs a look at its relocations.
bool CallsHooks(const dl_phdr_info& module);

// Of addresses.
struct DataRange {
  char* begin;
  char* end;
};

// Whether `address` lies in one of `ranges`.
bool IsIn(std::span<const DataRange> ranges, const void* address);

// The variables of a module, without what the dynamic linker writes, and its code.
void AddData(const dl_phdr_info& module, std::vector<DataRange>& ranges);
void AddCode(const dl_phdr_info& module, std::vector<DataRange>& ranges);

// The variables of all such libraries that are loaded now.
std::vector<DataRange> DataOfHookedLibraries();
// Their code.
std::vector<DataRange> CodeOfHookedLibraries();

}  // namespace jacquard::sim

#endif  // JACQUARD_SIM_HOOKED_LIBRARY_H_
