// What is known of the shared libraries in the process has to be learned anew when a program opens
// one (dlopen). Nobody tells: the dynamic linker's list of modules has grown.
#ifndef JACQUARD_SIM_LOADED_LIBRARIES_H_
#define JACQUARD_SIM_LOADED_LIBRARIES_H_

#include <link.h>

namespace jacquard::sim {

class LoadedLibraries {
 public:
  constexpr LoadedLibraries() = default;

  // Those that are loaded now are there from the start, and stay.
  void Begin();

  // Whether others have been loaded since Begin, or since it was last said that they have. A look
  // at one word as long as there are none, and then some 100 ns. Not to be called from within the
  // dynamic linker.
  bool HaveChanged() { return last_ != nullptr && last_->l_next != nullptr && CountHasChanged(); }

 private:
  bool CountHasChanged();

  const link_map* last_ = nullptr;  // of those from the start
  unsigned long long count_ = 0;    // of modules, with those that have been closed again
};

extern constinit LoadedLibraries loaded_libraries;

}  // namespace jacquard::sim

#endif  // JACQUARD_SIM_LOADED_LIBRARIES_H_
