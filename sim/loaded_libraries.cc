#include "sim/loaded_libraries.h"

#include <dlfcn.h>

#include <cstddef>

#include "sim/arena.h"

namespace jacquard::sim {

constinit LoadedLibraries loaded_libraries;

void LoadedLibraries::Begin() {
  void* const executable = dlopen(nullptr, RTLD_LAZY);
  const link_map* module = nullptr;
  if (executable == nullptr || dlinfo(executable, RTLD_DI_LINKMAP, &module) != 0) return;
  while (module->l_next != nullptr) module = module->l_next;
  // It may be one that a constructor has opened, and that the program closes.
  dlopen(module->l_name, RTLD_LAZY | RTLD_NOLOAD | RTLD_NODELETE);
  last_ = module;
}

bool LoadedLibraries::LaterOnesHave() {
  const link_map* map = last_->l_next;
  size_t same = 0;
  for (; map != nullptr && same < later_.size(); map = map->l_next, ++same) {
    if (later_[same] != Module{map, map->l_ld}) break;
  }
  if (map == nullptr && same == later_.size()) return false;
  const RealHeap real_heap;
  later_.resize(same);
  for (; map != nullptr; map = map->l_next) later_.push_back({map, map->l_ld});
  return true;
}

}  // namespace jacquard::sim
