#include "sim/c_library.h"

#include <elf.h>
#include <link.h>

#include <vector>

#include "sim/dynamic_section.h"

namespace jacquard::sim {
namespace {

std::vector<DataRange> DataOfCLibrary() {
  std::vector<DataRange> data;
  dl_iterate_phdr(
      [](dl_phdr_info* module, size_t /*size*/, void* ranges) {
        if (!DynamicSection(*module).Is("libc.so.6")) return 0;
        AddData(*module, *static_cast<std::vector<DataRange>*>(ranges));
        return 1;
      },
      &data);
  return data;
}

// Empty if no variable of a known size lies there.
DataRange VariableAt(const void* address) {
  const auto [begin, symbol] = SymbolAt(address);
  if (symbol == nullptr || ELF64_ST_TYPE(symbol->st_info) != STT_OBJECT) return {nullptr, nullptr};
  return {begin, begin + symbol->st_size};
}

struct Search {
  const std::vector<DataRange> data = DataOfCLibrary();
  std::vector<DataRange> variables;
  bool is_executable = true;  // the first module is
};

int FindNamed(dl_phdr_info* module, size_t /*size*/, void* data) {
  auto& search = *static_cast<Search*>(data);
  const bool is_program = search.is_executable || CallsHooks(*module);
  search.is_executable = false;
  if (!is_program) return 0;
  DynamicSection(*module).AnyRelocation([&search, module](const ElfW(Rela) & relocation,
                                                          const ElfW(Sym)& /*symbol*/,
                                                          const char* /*name*/) {
    const auto type = ELF64_R_TYPE(relocation.r_info);
    if (type != R_X86_64_GLOB_DAT && type != R_X86_64_64) return false;
    // The dynamic linker has put its address there.
    void* const address = *reinterpret_cast<void**>(module->dlpi_addr + relocation.r_offset);
    if (!IsIn(search.data, address) || IsIn(search.variables, address)) return false;
    const DataRange variable = VariableAt(address);
    if (variable.begin != variable.end) search.variables.push_back(variable);
    return false;  // all of them
  });
  return 0;
}

}  // namespace

std::vector<DataRange> VariablesOfCLibrary() {
  Search search;
  dl_iterate_phdr(FindNamed, &search);
  return search.variables;
}

}  // namespace jacquard::sim
