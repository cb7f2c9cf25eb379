#include "sim/snapshot.h"

#include <algorithm>
#include <cstring>

#include "sim/coverage_counters.h"
#include "sim/cxx_library.h"
#include "sim/dynamic_section.h"
#include "sim/hooked_library.h"
#include "sim/page.h"

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

// What the dynamic linker has copied into the executable from shared libraries that keep it.
std::vector<DataRange> CopiesOfLibraryData() {
  std::vector<DataRange> result;
  dl_iterate_phdr(
      [](dl_phdr_info* info, size_t /*size*/, void* data) {
        auto& ranges = *static_cast<std::vector<DataRange>*>(data);
        DynamicSection(*info).AnyRelocation(
            [&](const ElfW(Rela) & relocation, const ElfW(Sym) & symbol, const char* name) {
              const bool is_copy = ELF64_R_TYPE(relocation.r_info) == R_X86_64_COPY;
              if (is_copy && !cxx_library.HasVariable(name)) {
                char* const begin = reinterpret_cast<char*>(info->dlpi_addr + relocation.r_offset);
                ranges.push_back({begin, begin + symbol.st_size});
              }
              return false;  // all of them
            });
        return 1;  // the first module is the executable
      },
      &result);
  return result;
}

}  // namespace

size_t Snapshot::Copy(char* begin, char* end, size_t most) {
  const size_t before = copies_.size();
  while (begin < end && copies_.size() - before < most) {
    const size_t size = std::min<size_t>(end - begin, kPageSize);
    pages_.push_back({begin, size, copies_.size()});
    copies_.insert(copies_.end(), begin, begin + size);
    begin += size;
  }
  return std::min(copies_.size() - before, most);
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

void Snapshot::PutBack(Page& page) {
  if (!Differs(page)) return;
  if (!page.has_differed) differing_.push_back(static_cast<size_t>(&page - pages_.data()));
  page.has_differed = true;
  std::memcpy(page.begin, &copies_[page.copy], page.size);
}

void Snapshot::PutBack(bool all) {
  ++executions_;
  if (all || executions_ <= kFirstLooks || executions_ % kLooksEvery == 0) {
    for (Page& page : pages_) PutBack(page);
  } else {
    for (const size_t page : differing_) PutBack(pages_[page]);
  }
}

}  // namespace jacquard::sim
