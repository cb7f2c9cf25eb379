#include "sim/hooked_library.h"

#include <elf.h>

#include <algorithm>
#include <cstdint>
#include <cstring>

namespace jacquard::sim {
namespace {

// What of a module's dynamic section is of interest.
struct Dynamic {
  explicit Dynamic(const dl_phdr_info& module) {
    for (int i = 0; i < module.dlpi_phnum; ++i) {
      if (module.dlpi_phdr[i].p_type != PT_DYNAMIC) continue;
      const auto* entry =
          reinterpret_cast<const ElfW(Dyn)*>(module.dlpi_addr + module.dlpi_phdr[i].p_vaddr);
      for (; entry->d_tag != DT_NULL; ++entry) Read(module, *entry);
    }
  }

  const ElfW(Sym) * symbols = nullptr;
  const char* names = nullptr;
  const ElfW(Rela) * relocations[2] = {};  // of data, and of calls
  size_t sizes[2] = {};                    // in bytes
  uintptr_t calls = 0;                     // the table that calls go through

 private:
  void Read(const dl_phdr_info& module, const ElfW(Dyn) & entry) {
    // The dynamic linker has added the module's address, but for modules that it may not write to.
    const ElfW(Addr) value = entry.d_un.d_ptr;
    const ElfW(Addr) address = value < module.dlpi_addr ? value + module.dlpi_addr : value;
    switch (entry.d_tag) {
      case DT_SYMTAB:
        symbols = reinterpret_cast<const ElfW(Sym)*>(address);
        break;
      case DT_STRTAB:
        names = reinterpret_cast<const char*>(address);
        break;
      case DT_RELA:
        relocations[0] = reinterpret_cast<const ElfW(Rela)*>(address);
        break;
      case DT_RELASZ:
        sizes[0] = value;
        break;
      case DT_JMPREL:
        relocations[1] = reinterpret_cast<const ElfW(Rela)*>(address);
        break;
      case DT_PLTRELSZ:
        sizes[1] = value;
        break;
      case DT_PLTGOT:
        calls = address;
        break;
      default:
        break;
    }
  }
};

// [begin, end) without `hole`.
void AddWithout(const DataRange& hole, char* begin, char* end, std::vector<DataRange>& ranges) {
  char* const first_end = std::clamp(hole.begin, begin, end);
  char* const second_begin = std::clamp(hole.end, begin, end);
  if (begin < first_end) ranges.push_back({begin, first_end});
  if (second_begin < end) ranges.push_back({std::max(second_begin, first_end), end});
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
  const Dynamic dynamic(module);
  constexpr size_t kReserved = 3;  // entries of the table that calls go through
  const uintptr_t table_end =
      dynamic.calls + (kReserved + dynamic.sizes[1] / sizeof(ElfW(Rela))) * sizeof(void*);
  const DataRange table = {reinterpret_cast<char*>(dynamic.calls),
                           reinterpret_cast<char*>(table_end)};
  for (int i = 0; i < module.dlpi_phnum; ++i) {
    const ElfW(Phdr)& header = module.dlpi_phdr[i];
    if (header.p_type != PT_LOAD || (header.p_flags & PF_W) == 0) continue;
    std::vector<DataRange> parts;
    AddWithout(relocated, at(header.p_vaddr), at(header.p_vaddr + header.p_memsz), parts);
    for (const DataRange& part : parts) AddWithout(table, part.begin, part.end, ranges);
  }
}

}  // namespace

bool CallsHooks(const dl_phdr_info& module) {
  const Dynamic dynamic(module);
  if (dynamic.symbols == nullptr || dynamic.names == nullptr) return false;
  constexpr const char* kHooks = "__tsan_";
  for (int table = 0; table < 2; ++table) {
    for (size_t i = 0; i < dynamic.sizes[table] / sizeof(ElfW(Rela)); ++i) {
      const auto symbol = ELF64_R_SYM(dynamic.relocations[table][i].r_info);
      const char* const name = dynamic.names + dynamic.symbols[symbol].st_name;
      if (symbol != 0 && std::strncmp(name, kHooks, std::strlen(kHooks)) == 0) return true;
    }
  }
  return false;
}

std::vector<DataRange> DataOfHookedLibraries() {
  struct Found {
    bool is_executable = true;  // the first module is
    std::vector<DataRange> ranges;
  } found;
  dl_iterate_phdr(
      [](dl_phdr_info* module, size_t /*size*/, void* data) {
        auto& found = *static_cast<Found*>(data);
        if (!found.is_executable && CallsHooks(*module)) AddData(*module, found.ranges);
        found.is_executable = false;
        return 0;
      },
      &found);
  return found.ranges;
}

}  // namespace jacquard::sim
