#include "sim/dynamic_section.h"

#include <dlfcn.h>

namespace jacquard::sim {

DynamicSection::DynamicSection(const dl_phdr_info& module) {
  for (int i = 0; i < module.dlpi_phnum; ++i) {
    if (module.dlpi_phdr[i].p_type != PT_DYNAMIC) continue;
    entries_ = reinterpret_cast<const ElfW(Dyn)*>(module.dlpi_addr + module.dlpi_phdr[i].p_vaddr);
    for (const ElfW(Dyn)* entry = entries_; entry->d_tag != DT_NULL; ++entry) Read(module, *entry);
  }
}

void DynamicSection::Read(const dl_phdr_info& module, const ElfW(Dyn) & entry) {
  // The dynamic linker has added the module's address, but for modules that it may not write to.
  const ElfW(Addr) value = entry.d_un.d_ptr;
  const ElfW(Addr) address = value < module.dlpi_addr ? value + module.dlpi_addr : value;
  switch (entry.d_tag) {
    case DT_SYMTAB:
      symbols_ = reinterpret_cast<const ElfW(Sym)*>(address);
      break;
    case DT_STRTAB:
      names_ = reinterpret_cast<const char*>(address);
      break;
    case DT_RELA:
      data_.begin = reinterpret_cast<const ElfW(Rela)*>(address);
      break;
    case DT_RELASZ:
      data_.bytes = value;
      break;
    case DT_JMPREL:
      calls_.begin = reinterpret_cast<const ElfW(Rela)*>(address);
      break;
    case DT_PLTRELSZ:
      calls_.bytes = value;
      break;
    case DT_PLTGOT:
      call_table_ = address;
      break;
    default:
      break;
  }
}

bool DynamicSection::Names(ElfW(Sxword) tag, std::string_view name) const {
  if (entries_ == nullptr || names_ == nullptr) return false;
  for (const ElfW(Dyn)* entry = entries_; entry->d_tag != DT_NULL; ++entry) {
    if (entry->d_tag == tag && names_ + entry->d_un.d_val == name) return true;
  }
  return false;
}

PlacedSymbol SymbolAt(const void* address) {
  Dl_info info;
  void* entry = nullptr;
  if (dladdr1(address, &info, &entry, RTLD_DL_SYMENT) == 0 || info.dli_saddr != address) return {};
  return {static_cast<char*>(info.dli_saddr), static_cast<const ElfW(Sym)*>(entry)};
}

}  // namespace jacquard::sim
