// Shared libraries with hooks that an execution opens (dlopen), as programs open plug-ins: they are
// part of the program from their constructors on, and gone before the next execution, which opens
// them anew: their variables begin as they did.
//
// What those register for their end is called when the program closes the last of its handles, and
// not at the end of an execution, as nothing is that it has registered (exit_functions.h).
#ifndef JACQUARD_SIM_OPENED_LIBRARIES_H_
#define JACQUARD_SIM_OPENED_LIBRARIES_H_

#include <link.h>

#include <cstdint>
#include <functional>
#include <vector>

#include "sim/hooked_library.h"

namespace jacquard::sim {

class OpenedLibraries {
 public:
  constexpr OpenedLibraries() = default;

  // Whether the return address `caller` lies in the code of one.
  bool Contains(const void* caller) {
    return IsIn(code_, caller) || (opener_ != kNobody && IsInNewOne(caller));
  }

  // What dlopen and dlclose do that the program calls at `pc`: one thread at a time, as
  // constructors run within. Others wait.
  void* Open(const char* file, int mode, uintptr_t pc);
  int Close(void* handle, uintptr_t pc);

  // Before an execution: those of the last one go. (After it, they are needed to tell of it.)
  void CloseAll() {
    if (!handles_.empty() || !code_.empty() || opener_ != kNobody) CloseAllOfThem();
  }

 private:
  static constexpr int kNobody = -2;

  void Begin(uintptr_t pc);
  void End();
  void FindLast();
  // Those that the execution has opened, and what came along: the others were there before.
  void ForEach(const std::function<void(const link_map&)>& visit) const;
  bool IsNeededByThread(void* handle);
  bool IsInNewOne(const void* caller);
  void AddIfHooked(const link_map& map);
  void CloseAllOfThem();

  const link_map* last_before_ = nullptr;
  std::vector<void*> handles_;
  std::vector<DataRange> code_;
  std::vector<DataRange> data_;
  int opener_ = kNobody;  // the thread that opens or closes some
  int depth_ = 0;         // a constructor may open others
};

extern constinit OpenedLibraries opened_libraries;

}  // namespace jacquard::sim

#endif  // JACQUARD_SIM_OPENED_LIBRARIES_H_
