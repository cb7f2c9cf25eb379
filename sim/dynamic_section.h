// What the dynamic linker is told of a module: its symbols, and the relocations that name them.
#ifndef JACQUARD_SIM_DYNAMIC_SECTION_H_
#define JACQUARD_SIM_DYNAMIC_SECTION_H_

#include <elf.h>
#include <link.h>

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string_view>

namespace jacquard::sim {

class DynamicSection {
 public:
  // Of a module as dl_iterate_phdr shows it, which stays loaded. Empty if the module has none.
  explicit DynamicSection(const dl_phdr_info& module);

  // Whether `holds(relocation, symbol, name)` holds of any relocation, those of calls included;
  // asks no more once it does. The name is "" where a relocation names no symbol.
  template <class Predicate>
  bool AnyRelocation(Predicate holds) const {
    if (symbols_ == nullptr || names_ == nullptr) return false;
    for (const Table& table : {data_, calls_}) {
      for (size_t i = 0; i < table.count(); ++i) {
        const ElfW(Sym)& symbol = symbols_[ELF64_R_SYM(table.begin[i].r_info)];
        if (holds(table.begin[i], symbol, names_ + symbol.st_name)) return true;
      }
    }
    return false;
  }

  // Whether its own name is `name`, and whether it asks for a library of that name.
  bool Is(std::string_view name) const { return Names(DT_SONAME, name); }
  bool Needs(std::string_view name) const { return Names(DT_NEEDED, name); }

  // The table that calls of functions in other modules go through, and its entries.
  uintptr_t call_table() const { return call_table_; }
  size_t call_table_entries() const {
    constexpr size_t kReserved = 3;  // for the dynamic linker
    return call_table_ == 0 ? 0 : kReserved + calls_.count();
  }

 private:
  struct Table {
    size_t count() const { return begin == nullptr ? 0 : bytes / sizeof(ElfW(Rela)); }

    const ElfW(Rela) * begin = nullptr;
    size_t bytes = 0;
  };

  void Read(const dl_phdr_info& module, const ElfW(Dyn) & entry);
  // Whether an entry of this kind is `name`.
  bool Names(ElfW(Sxword) tag, std::string_view name) const;

  const ElfW(Dyn) * entries_ = nullptr;
  const ElfW(Sym) * symbols_ = nullptr;
  const char* names_ = nullptr;
  Table data_;
  Table calls_;
  uintptr_t call_table_ = 0;
};

// A symbol with a size, of any module, and where it lies.
struct PlacedSymbol {
  char* begin = nullptr;
  const ElfW(Sym) * symbol = nullptr;  // null: there is none
};

// What begins at `address`.
PlacedSymbol SymbolAt(const void* address);

}  // namespace jacquard::sim

#endif  // JACQUARD_SIM_DYNAMIC_SECTION_H_
