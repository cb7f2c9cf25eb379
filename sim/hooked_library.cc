#include "sim/hooked_library.h"

#include <algorithm>
#include <cstring>
#include <string_view>

#include "sim/dynamic_section.h"

namespace jacquard::sim {
namespace {

// [begin, end) without `hole`.
void AddWithout(const DataRange& hole, char* begin, char* end, std::vector<DataRange>& ranges) {
  char* const first_end = std::clamp(hole.begin, begin, end);
  char* const second_begin = std::clamp(hole.end, begin, end);
  if (begin < first_end) ranges.push_back({begin, first_end});
  if (second_begin < end) ranges.push_back({std::max(second_begin, first_end), end});
}

// What `add` finds in each of them.
std::vector<DataRange> RangesOfHookedLibraries(void (*add)(const dl_phdr_info& module,
                                                           std::vector<DataRange>& ranges)) {
  struct Search {
    decltype(add) add;
    bool is_executable = true;  // the first module is
    std::vector<DataRange> ranges;
  } search = {.add = add, .ranges = {}};
  dl_iterate_phdr(
      [](dl_phdr_info* module, size_t /*size*/, void* data) {
        auto& search = *static_cast<Search*>(data);
        if (!search.is_executable && CallsHooks(*module)) search.add(*module, search.ranges);
        search.is_executable = false;
        return 0;
      },
      &search);
  return search.ranges;
}

}  // namespace

bool IsIn(std::span<const DataRange> ranges, const void* address) {
  return std::ranges::any_of(ranges, [address](const DataRange& range) {
    return address >= range.begin && address < range.end;
  });
}

void AddData(const dl_phdr_info& module, std::vector<DataRange>& ranges) {
  const auto at = [&module](uintptr_t address) {
    return reinterpret_cast<char*>(module.dlpi_addr + address);
  };
  DataRange relocated = {nullptr, nullptr};  // and read-only afterwards
  for (int i = 0; i < module.dlpi_phnum; ++i) {
    const ElfW(Phdr)& header = module.dlpi_phdr[i];
    if (header.p_type == PT_GNU_RELRO)
      relocated = {at(header.p_vaddr), at(header.p_vaddr + header.p_memsz)};
  }
  const DynamicSection dynamic(module);
  char* const table_begin = reinterpret_cast<char*>(dynamic.call_table());
  const DataRange table = {table_begin, table_begin + dynamic.call_table_entries() * sizeof(void*)};
  for (int i = 0; i < module.dlpi_phnum; ++i) {
    const ElfW(Phdr)& header = module.dlpi_phdr[i];
    if (header.p_type != PT_LOAD || (header.p_flags & PF_W) == 0) continue;
    std::vector<DataRange> parts;
    AddWithout(relocated, at(header.p_vaddr), at(header.p_vaddr + header.p_memsz), parts);
    for (const DataRange& part : parts) AddWithout(table, part.begin, part.end, ranges);
  }
}

void AddCode(const dl_phdr_info& module, std::vector<DataRange>& ranges) {
  for (int i = 0; i < module.dlpi_phnum; ++i) {
    const ElfW(Phdr)& header = module.dlpi_phdr[i];
    if (header.p_type != PT_LOAD || (header.p_flags & PF_X) == 0) continue;
    char* const begin = reinterpret_cast<char*>(module.dlpi_addr + header.p_vaddr);
    ranges.push_back({begin, begin + header.p_memsz});
  }
}

bool CallsHooks(const dl_phdr_info& module) {
  return DynamicSection(module).AnyRelocation(
      [](const ElfW(Rela)& /*relocation*/, const ElfW(Sym)& /*symbol*/, const char* name) {
        constexpr std::string_view kHooks = "__tsan_";
        return std::strncmp(name, kHooks.data(), kHooks.size()) == 0;
      });
}

std::vector<DataRange> DataOfHookedLibraries() { return RangesOfHookedLibraries(AddData); }

std::vector<DataRange> CodeOfHookedLibraries() { return RangesOfHookedLibraries(AddCode); }

}  // namespace jacquard::sim
