#include "sim/loaded_libraries.h"

#include <dlfcn.h>

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
  CountHasChanged();
}

bool LoadedLibraries::CountHasChanged() {
  const unsigned long long before = count_;
  dl_iterate_phdr(
      [](dl_phdr_info* module, size_t /*size*/, void* count) {
        *static_cast<decltype(count_)*>(count) = module->dlpi_adds;
        return 1;
      },
      &count_);
  return count_ != before;
}

}  // namespace jacquard::sim
