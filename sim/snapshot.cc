#include "sim/snapshot.h"

#include <elf.h>
#include <link.h>

#include <algorithm>
#include <cstring>

#include "sim/coverage_counters.h"
#include "sim/hooked_library.h"

// Set by the linker: the data of the executable, and the parts of it that are of objects which
// tools/prelink.bzl has made, as the runtime is one.
extern "C" {
extern char __data_start;
extern char edata;
extern char __bss_start;
extern char end;
[[gnu::weak]] extern char __start_jacquard_data;
[[gnu::weak]] extern char __stop_jacquard_data;
[[gnu::weak]] extern char __start_jacquard_bss;
[[gnu::weak]] extern char __stop_jacquard_bss;
}

namespace jacquard::sim {
namespace {

constexpr size_t kPage = 4096;

// What the dynamic linker has copied from shared libraries into the executable.
std::vector<DataRange> CopiesOfLibraryData() {
  std::vector<DataRange> result;
  dl_iterate_phdr(
      [](dl_phdr_info* info, size_t /*size*/, void* data) {
        const ElfW(Rela)* relocations = nullptr;
        const ElfW(Sym)* symbols = nullptr;
        size_t size = 0;
        for (int i = 0; i < info->dlpi_phnum; ++i) {
          if (info->dlpi_phdr[i].p_type != PT_DYNAMIC) continue;
          const auto* entry =
              reinterpret_cast<const ElfW(Dyn)*>(info->dlpi_addr + info->dlpi_phdr[i].p_vaddr);
          for (; entry->d_tag != DT_NULL; ++entry) {
            const auto address = entry->d_un.d_ptr;
            if (entry->d_tag == DT_RELA) relocations = reinterpret_cast<const ElfW(Rela)*>(address);
            if (entry->d_tag == DT_RELASZ) size = entry->d_un.d_val;
            if (entry->d_tag == DT_SYMTAB) symbols = reinterpret_cast<const ElfW(Sym)*>(address);
          }
        }
        if (relocations == nullptr || symbols == nullptr) return 1;
        for (size_t i = 0; i < size / sizeof(ElfW(Rela)); ++i) {
          if (ELF64_R_TYPE(relocations[i].r_info) != R_X86_64_COPY) continue;
          char* const begin = reinterpret_cast<char*>(info->dlpi_addr + relocations[i].r_offset);
          const size_t length = symbols[ELF64_R_SYM(relocations[i].r_info)].st_size;
          static_cast<std::vector<DataRange>*>(data)->push_back({begin, begin + length});
        }
        return 1;  // the first module is the executable
      },
      &result);
  return result;
}

}  // namespace

void Snapshot::Add(char* begin, char* end) {
  while (begin < end && copies_.size() < kMost) {
    const size_t size = std::min<size_t>(end - begin, kPage);
    pages_.push_back({begin, size, copies_.size()});
    copies_.insert(copies_.end(), begin, begin + size);
    begin += size;
  }
}

void Snapshot::AddProgram() {
  std::vector<DataRange> others = CopiesOfLibraryData();
  others.push_back({&__start_jacquard_data, &__stop_jacquard_data});
  others.push_back({&__start_jacquard_bss, &__stop_jacquard_bss});
  others.push_back({&__start___llvm_prf_cnts, &__stop___llvm_prf_cnts});  // of all executions
  std::ranges::sort(others, {}, &DataRange::begin);
  for (const DataRange& section :
       {DataRange{&__data_start, &edata}, DataRange{&__bss_start, &end}}) {
    char* from = section.begin;
    for (const DataRange& other : others) {
      if (other.end <= from || other.begin >= section.end) continue;
      Add(from, other.begin);
      from = other.end;
    }
    Add(from, section.end);
  }
  for (const DataRange& range : DataOfHookedLibraries()) Add(range.begin, range.end);
}

void Snapshot::PutBack() {
  ++executions_;
  const bool all =
      copies_.size() <= kSmall || executions_ <= kFirstLooks || executions_ % kLooksEvery == 0;
  for (Page& page : pages_) {
    if (!all && !page.has_differed) continue;
    const char* const copy = &copies_[page.copy];
    if (std::memcmp(page.begin, copy, page.size) == 0) continue;
    page.has_differed = true;
    std::memcpy(page.begin, copy, page.size);
  }
}

}  // namespace jacquard::sim
