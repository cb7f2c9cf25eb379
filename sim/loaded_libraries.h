// What is known of the shared libraries in the process has to be learned anew when a program opens
// one (dlopen). Nobody tells: the dynamic linker's list of modules is another one.
#ifndef JACQUARD_SIM_LOADED_LIBRARIES_H_
#define JACQUARD_SIM_LOADED_LIBRARIES_H_

#include <link.h>

#include <vector>

namespace jacquard::sim {

class LoadedLibraries {
 public:
  constexpr LoadedLibraries() = default;

  // Those that are loaded now are there from the start, and stay.
  void Begin();

  // Whether others have been loaded or closed since Begin, or since it was last said that they
  // have. A look at one word as long as there are none, and then at two for each. Not to be called
  // from within the dynamic linker.
  bool HaveChanged() {
    return last_ != nullptr && (last_->l_next != nullptr || !later_.empty()) && LaterOnesHave();
  }

  // The first of the others. The list is the dynamic linker's own, which follows it by l_next.
  const link_map* first_new() const { return last_ == nullptr ? nullptr : last_->l_next; }

 private:
  struct Module {
    bool operator==(const Module&) const = default;

    const link_map* map;
    const ElfW(Dyn) * dynamic_section;  // of another library, perhaps, with the same map
  };

  bool LaterOnesHave();

  const link_map* last_ = nullptr;  // of those from the start
  std::vector<Module> later_;
};

extern constinit LoadedLibraries loaded_libraries;

}  // namespace jacquard::sim

#endif  // JACQUARD_SIM_LOADED_LIBRARIES_H_
