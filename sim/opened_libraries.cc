#include "sim/opened_libraries.h"

#include <dlfcn.h>
#include <elf.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <span>

#include "sim/caller.h"
#include "sim/engine.h"
#include "sim/exit_functions.h"
#include "sim/loaded_libraries.h"
#include "sim/lock_holders.h"
#include "sim/real.h"
#include "sim/sync.h"

namespace jacquard::sim {

constinit OpenedLibraries opened_libraries;

namespace {

constinit char constructors = 0;  // what others wait for

// A module as dl_iterate_phdr shows it, which must not be called while the dynamic linker is at
// work. Without headers if the module has none in its memory, as the executable may.
dl_phdr_info ModuleOf(const link_map& map) {
  dl_phdr_info module = {};
  module.dlpi_addr = map.l_addr;
  const auto* const header = reinterpret_cast<const ElfW(Ehdr)*>(map.l_addr);
  if (header == nullptr || std::memcmp(header->e_ident, ELFMAG, SELFMAG) != 0) return module;
  module.dlpi_phdr = reinterpret_cast<const ElfW(Phdr)*>(map.l_addr + header->e_phoff);
  module.dlpi_phnum = header->e_phnum;
  return module;
}

DataRange PlaceOf(const link_map& map) {
  const dl_phdr_info module = ModuleOf(map);
  DataRange place = {reinterpret_cast<char*>(map.l_addr), reinterpret_cast<char*>(map.l_addr)};
  for (const ElfW(Phdr) & header : std::span(module.dlpi_phdr, module.dlpi_phnum)) {
    if (header.p_type == PT_LOAD)
      place.end = reinterpret_cast<char*>(map.l_addr + header.p_vaddr + header.p_memsz);
  }
  return place;
}

bool HasHooks(const link_map& map) { return map.l_addr != 0 && CallsHooks(ModuleOf(map)); }

// Libraries without hooks keep what they have, also those that one with hooks has brought along.
void KeepThoseWithoutHooks(const link_map* map) {
  for (; map != nullptr; map = map->l_next) {
    if (HasHooks(*map)) continue;
    constexpr int kKeep = RTLD_LAZY | RTLD_NOLOAD | RTLD_NODELETE;
    if (void* const handle = JACQUARD_REAL(dlopen)(map->l_name, kKeep))
      JACQUARD_REAL(dlclose)(handle);
  }
}

}  // namespace

void OpenedLibraries::Begin(uintptr_t pc) {
  if (opener_ != engine.current->id) {
    while (opener_ != kNobody)
      WaitForLock(WaitReason::kOnce, &constructors, pc, Engine::kNoDeadline);
    engine.Acquire(&constructors);
    lock_holders.Take(&constructors, HeldKind::kOnce, pc, false);
    opener_ = engine.current->id;
    if (handles_.empty()) FindLast();
  }
  ++depth_;
}

void OpenedLibraries::FindLast() {
  last_before_ = nullptr;
  for (const link_map* map = loaded_libraries.first_new(); map != nullptr; map = map->l_next)
    last_before_ = map;
}

void OpenedLibraries::ForEach(const std::function<void(const link_map&)>& visit) const {
  bool is_one = last_before_ == nullptr;
  for (const link_map* map = loaded_libraries.first_new(); map != nullptr; map = map->l_next) {
    if (is_one) visit(*map);
    is_one = is_one || map == last_before_;
  }
}

void OpenedLibraries::End() {
  if (--depth_ != 0) return;
  {
    const Backstage backstage;
    code_.clear();
    data_.clear();
    ForEach([this](const link_map& map) { AddIfHooked(map); });
    engine.rollback.SetOpenedLibraries(data_);
  }
  opener_ = kNobody;
  engine.Release(&constructors);
  lock_holders.Leave(&constructors, HeldKind::kOnce);
  engine.WakeAll(WaitReason::kOnce, &constructors);
}

void* OpenedLibraries::Open(const char* file, int mode, uintptr_t pc) {
  Begin(pc);
  void* const handle = JACQUARD_REAL(dlopen)(file, mode);
  const auto* const map = static_cast<const link_map*>(handle);
  if (map != nullptr) {
    const Backstage backstage;
    if (HasHooks(*map)) {
      if (std::ranges::find(handles_, handle) == handles_.end()) KeepThoseWithoutHooks(map->l_next);
      handles_.push_back(handle);
    }
  }
  End();
  return handle;
}

int OpenedLibraries::Close(void* handle, uintptr_t pc) {
  Begin(pc);
  const int result = IsNeededByThread(handle) ? 0 : JACQUARD_REAL(dlclose)(handle);
  End();
  return result;
}

// Whether it is the last handle of a library of which threads have still to destroy variables: then
// the library is closed at the end. Otherwise the handle is not one of ours any more.
bool OpenedLibraries::IsNeededByThread(void* handle) {
  const Backstage backstage;
  const auto found = std::find(handles_.begin(), handles_.end(), handle);
  if (found == handles_.end()) return false;
  if (std::count(found, handles_.end(), handle) == 1 &&
      HasThreadDestructorOf(PlaceOf(*static_cast<const link_map*>(handle))))
    return true;
  handles_.erase(found);
  return false;
}

bool OpenedLibraries::IsInNewOne(const void* caller) {
  const RealHeap real_heap;
  const size_t known = code_.size();
  // That one is ready, whatever else the dynamic linker is about.
  ForEach([this, caller](const link_map& map) {
    std::vector<DataRange> code;
    AddCode(ModuleOf(map), code);
    if (IsIn(code, caller)) AddIfHooked(map);
  });
  if (code_.size() == known) return false;
  engine.rollback.SetOpenedLibraries(data_);
  return true;
}

void OpenedLibraries::AddIfHooked(const link_map& map) {
  if (!HasHooks(map)) return;
  AddCode(ModuleOf(map), code_);
  AddData(ModuleOf(map), data_);
}

void OpenedLibraries::CloseAllOfThem() {
  for (auto handle = handles_.rbegin(); handle != handles_.rend(); ++handle)
    JACQUARD_REAL(dlclose)(*handle);
  handles_.clear();
  // The execution may have ended in a constructor: that library is open, and nobody has its handle.
  if (opener_ != kNobody) {
    std::vector<const link_map*> left;
    ForEach([&left](const link_map& map) {
      if (HasHooks(map)) left.push_back(&map);
    });
    for (const link_map* const map : left) {
      void* const handle = JACQUARD_REAL(dlopen)(map->l_name, RTLD_LAZY | RTLD_NOLOAD);
      if (handle == nullptr) continue;
      JACQUARD_REAL(dlclose)(handle);
      JACQUARD_REAL(dlclose)(handle);
    }
  }
  code_.clear();
  data_.clear();
  engine.rollback.SetOpenedLibraries({});
  opener_ = kNobody;
  depth_ = 0;
}

namespace {

// Whether `file` is found wherever the call is: it tells a path.
bool IsPath(const char* file) {
  return file == nullptr ||
         (std::strchr(file, '/') != nullptr && std::strchr(file, '$') == nullptr);
}

bool IsOpenedByProgram(const char* file, const void* caller) {
  return engine.Simulates() && FromProgramItself(caller) &&
         (FromExecutable(caller) || IsPath(file));
}

using Dlopen = void*(const char* file, int mode);
Dlopen* RealDlopen() { return JACQUARD_REAL(dlopen); }

}  // namespace
}  // namespace jacquard::sim

using jacquard::sim::engine;
using jacquard::sim::IsOpenedByProgram;
using jacquard::sim::opened_libraries;
using jacquard::sim::RealDlopen;

extern "C" {

// Where a library is looked for depends on whose code the call is in: so it has to stay there.
jacquard::sim::Dlopen jacquard_dlopen __asm__("dlopen");  // noexcept, it could not
void* jacquard_dlopen(const char* file, int mode) {
  if (IsOpenedByProgram(file, __builtin_return_address(0)))
    return opened_libraries.Open(file, mode, JACQUARD_CALLER);
  [[clang::musttail]] return RealDlopen()(file, mode);
}

int dlclose(void* handle) noexcept {
  if (engine.Simulates() && jacquard::sim::FromProgramItself(__builtin_return_address(0)))
    return opened_libraries.Close(handle, JACQUARD_CALLER);
  return JACQUARD_REAL(dlclose)(handle);
}

}  // extern "C"
