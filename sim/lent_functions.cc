#include "sim/lent_functions.h"

#include <dlfcn.h>
#include <unwind.h>

#include <ranges>

#include "sim/caller.h"
#include "sim/cxx_library.h"
#include "sim/dynamic_section.h"

namespace jacquard::sim {

constinit LentFunctions lent_functions;

namespace {

// The function of this name that everybody calls, if it is the program's and has no home. Empty if
// not.
DataRange LentFunction(const char* name) {
  void* const function = dlsym(RTLD_DEFAULT, name);
  if (function == nullptr || !FromProgramItself(function)) return {nullptr, nullptr};
  const auto [begin, symbol] = SymbolAt(function);
  if (symbol == nullptr || ELF64_ST_BIND(symbol->st_info) != STB_WEAK ||
      ELF64_ST_TYPE(symbol->st_info) != STT_FUNC)
    return {nullptr, nullptr};
  return {begin, begin + symbol->st_size};
}

}  // namespace

void LentFunctions::Find() {
  functions_.clear();
  libraries_.clear();
  struct Search {
    LentFunctions& lent;
    bool cxx_library_counts;
  } search = {*this, OthersUseCxxLibrary()};
  dl_iterate_phdr(
      [](dl_phdr_info* module, size_t /*size*/, void* data) {
        auto& [lent, cxx_library_counts] = *static_cast<Search*>(data);
        std::vector<DataRange> code;
        AddCode(*module, code);
        if (code.empty() || FromProgram(code.front().begin)) return 0;
        if (!cxx_library_counts && IsCxxLibrary(*module)) return 0;
        const size_t before = lent.functions_.size();
        DynamicSection(*module).AnyRelocation([&lent](const ElfW(Rela)& /*relocation*/,
                                                      const ElfW(Sym)& /*symbol*/,
                                                      const char* name) {
          if (name[0] != '_' || name[1] != 'Z') return false;
          const DataRange function = LentFunction(name);
          if (function.begin != function.end) lent.functions_.push_back(function);
          return false;  // all of them
        });
        if (lent.functions_.size() != before)
          lent.libraries_.insert(lent.libraries_.end(), code.begin(), code.end());
        return 0;
      },
      &search);
}

bool LentFunctions::IsCalledByLibrary(std::span<const uintptr_t> calls, const char* caller) const {
  const char* inside = caller;
  for (const uintptr_t call : calls | std::views::reverse) {
    const auto* const from = reinterpret_cast<const char*>(call);
    if (IsIn(libraries_, from)) return IsIn(functions_, inside);
    inside = from;
  }
  return false;
}

bool LentFunctions::RunForLibrary() const {
  constexpr size_t kMost = 256;
  struct Calls {
    uintptr_t innermost_last[kMost];
    size_t count = 0;
  } calls;
  if (!any()) return false;
  _Unwind_Backtrace(
      [](_Unwind_Context* frame, void* data) {
        auto& [innermost_last, count] = *static_cast<Calls*>(data);
        innermost_last[kMost - ++count] = _Unwind_GetIP(frame);
        return count == kMost ? _URC_END_OF_STACK : _URC_NO_REASON;
      },
      &calls);
  return IsCalledByLibrary({calls.innermost_last + kMost - calls.count, calls.count}, nullptr);
}

}  // namespace jacquard::sim
