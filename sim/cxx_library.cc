#include "sim/cxx_library.h"

#include <algorithm>
#include <cstring>
#include <ext/stdio_sync_filebuf.h>
#include <iostream>
#include <locale>
#include <memory_resource>

#include "sim/caller.h"
#include "sim/dynamic_section.h"

namespace jacquard::sim {

constinit CxxLibrary cxx_library;

namespace {

constexpr std::string_view kName = "libstdc++.so.6";

// The buffer, if the C library's stream has all that goes through it. Else null.
template <class Char>
const __gnu_cxx::stdio_sync_filebuf<Char>* Synced(const std::basic_streambuf<Char>* buffer) {
  return dynamic_cast<const __gnu_cxx::stdio_sync_filebuf<Char>*>(buffer);
}

// Calls `visit(stream)` for each standard stream that is written to.
template <class Visit>
void VisitOutput(Visit visit) {
  for (const std::ostream* const stream : {&std::cout, &std::cerr, &std::clog}) visit(*stream);
  for (const std::wostream* const stream : {&std::wcout, &std::wcerr, &std::wclog}) visit(*stream);
}

// Two locales that are the same have the same.
const void* GlobalLocale() {
  const std::locale global;
  const void* implementation;
  static_assert(sizeof(global) == sizeof(implementation));
  std::memcpy(&implementation, static_cast<const void*>(&global), sizeof(implementation));
  return implementation;
}

}  // namespace

bool IsCxxLibrary(const dl_phdr_info& module) { return DynamicSection(module).Is(kName); }

bool FromCxxLibrary(const void* caller) {
  struct Search {
    uintptr_t address;
    bool found = false;
  } search = {reinterpret_cast<uintptr_t>(caller)};
  dl_iterate_phdr(
      [](dl_phdr_info* module, size_t /*size*/, void* data) {
        auto& [address, found] = *static_cast<Search*>(data);
        for (int i = 0; i < module->dlpi_phnum; ++i) {
          const ElfW(Phdr)& header = module->dlpi_phdr[i];
          if (header.p_type != PT_LOAD || (header.p_flags & PF_X) == 0) continue;
          if (address - module->dlpi_addr - header.p_vaddr >= header.p_memsz) continue;
          found = IsCxxLibrary(*module);
          return 1;
        }
        return 0;
      },
      &search);
  return search.found;
}

bool OthersUseCxxLibrary() {
  const auto is_other_user = [](dl_phdr_info* module, size_t /*size*/, void* /*data*/) {
    std::vector<DataRange> code;
    AddCode(*module, code);
    const bool is_program = !code.empty() && FromProgram(code.front().begin);
    return !is_program && DynamicSection(*module).Needs(kName) ? 1 : 0;
  };
  return dl_iterate_phdr(is_other_user, nullptr) != 0;
}

void CxxLibrary::BecomePartOfProgram() {
  struct Library {
    DataRange code = {nullptr, nullptr};
    std::vector<DataRange> data;
  } library;
  dl_iterate_phdr(
      [](dl_phdr_info* module, size_t /*size*/, void* result) {
        if (!IsCxxLibrary(*module)) return 0;
        auto& library = *static_cast<Library*>(result);
        std::vector<DataRange> code;
        AddCode(*module, code);
        if (!code.empty()) library.code = code.front();
        AddData(*module, library.data);
        return 1;
      },
      &library);
  if (OthersUseCxxLibrary()) return;
  code_ = library.code;
  data_ = library.data;
  global_locale_ = GlobalLocale();  // which there may not be before it is asked for
  default_resource_ = std::pmr::get_default_resource();
  terminate_ = std::get_terminate();
  new_ = std::get_new_handler();
  for (const DataRange& range : data_) snapshot_.Add(range.begin, range.end);
  Watch(std::cin);
  Watch(std::wcin);
  VisitOutput([this](const auto& stream) {
    Watch(stream);
    if (const auto* const buffer = Synced(stream.rdbuf())) {
      if (std::ranges::find(synced_, buffer) == synced_.end()) Watch(*buffer);  // it has a locale
      synced_.push_back(buffer);
    }
  });
}

template <class T>
void CxxLibrary::Watch(const T& stream) {
  const auto* const begin = reinterpret_cast<const char*>(&stream);
  streams_.push_back({begin, sizeof(stream), copies_.size()});
  copies_.insert(copies_.end(), begin, begin + sizeof(stream));
}

bool CxxLibrary::LooksTheSame() const {
  return std::ranges::all_of(streams_,
                             [this](const Stream& stream) {
                               return std::memcmp(stream.begin, &copies_[stream.copy],
                                                  stream.size) == 0;
                             }) &&
         GlobalLocale() == global_locale_ &&
         std::pmr::get_default_resource() == default_resource_ &&
         std::get_terminate() == terminate_ && std::get_new_handler() == new_;
}

void CxxLibrary::StayIfOthersUseIt() {
  if (code_.begin != nullptr && OthersUseCxxLibrary()) code_ = {nullptr, nullptr};
}

template <class Char>
void CxxLibrary::Flush(const std::basic_ios<Char>& stream) const {
  std::basic_streambuf<Char>* const buffer = stream.rdbuf();
  if (std::ranges::find(synced_, buffer) != synced_.end()) return;
  if (IsIn(data_, buffer)) buffer->pubsync();
}

void CxxLibrary::FlushOutput() const {
  VisitOutput([this](const auto& stream) { Flush(stream); });
}

}  // namespace jacquard::sim
