// The C++ library where it is a shared one (libstdc++). What a program makes of its state by an
// object of its own must not reach the next execution, in which that object is gone: the global
// locale, the locale and the buffer of std::cout, the default memory resource.
//
// So the library is part of the program, where that has a main of its own: its variables begin each
// execution as they were before main (snapshot.h), and what it gets from operator new is gone with
// the execution, as is whatever else the variables came to point to. But not where other libraries
// without hooks use it, too, whose strings and locales have to stay.
#ifndef JACQUARD_SIM_CXX_LIBRARY_H_
#define JACQUARD_SIM_CXX_LIBRARY_H_

#include <exception>
#include <ios>
#include <new>
#include <string_view>
#include <vector>

#include "sim/hooked_library.h"
#include "sim/snapshot.h"

namespace jacquard::sim {

// Whether `module` is the C++ library.
bool IsCxxLibrary(const dl_phdr_info& module);
// Whether the return address `caller` lies in its code. Allocates nothing.
bool FromCxxLibrary(const void* caller);
// Whether there is a module, other than the executable and what is part of the program, that uses
// it.
bool OthersUseCxxLibrary();

class CxxLibrary {
 public:
  constexpr CxxLibrary() = default;

  // Before the first execution, when it is known which libraries are part of the program. Not
  // thread-safe.
  void BecomePartOfProgram();

  // When libraries have been loaded, which may use it: then what it allocates stays.
  void StayIfOthersUseIt();

  // Whether its variables are put back.
  bool is_part() const { return !data_.empty(); }
  // Whether it is part of the program, and `caller` in its code.
  bool Contains(const void* caller) const { return caller >= code_.begin && caller < code_.end; }
  // Its variables.
  const Snapshot& snapshot() const { return snapshot_; }
  // Whether an executable's copy of the variable `name` is one of them.
  bool HasVariable(std::string_view name) const { return is_part() && name.starts_with("_ZSt"); }

  // What the standard streams have buffered by themselves (std::ios::sync_with_stdio) goes out. To
  // be called before the variables are put back.
  void FlushStreams() const {
    if (is_part()) FlushOutput();
  }

  // After an execution. All variables are looked at if one differs that programs change by objects
  // of their own, or once in a while (snapshot.h).
  void PutBack() {
    if (is_part()) snapshot_.PutBack(!LooksTheSame());
  }

 private:
  // A standard stream, and the place of its copy.
  struct Stream {
    const char* begin;
    size_t size;
    size_t copy;
  };

  void FlushOutput() const;
  template <class T>
  void Watch(const T& stream);
  bool LooksTheSame() const;
  template <class Char>
  void Flush(const std::basic_ios<Char>& stream) const;

  DataRange code_ = {nullptr, nullptr};
  std::vector<DataRange> data_;
  Snapshot snapshot_;
  std::vector<Stream> streams_;
  std::vector<char> copies_;
  std::vector<const void*> synced_;  // buffers that leave all to the C library's streams
  const void* global_locale_ = nullptr;
  const void* default_resource_ = nullptr;
  std::terminate_handler terminate_ = nullptr;
  std::new_handler new_ = nullptr;
};

extern constinit CxxLibrary cxx_library;

}  // namespace jacquard::sim

#endif  // JACQUARD_SIM_CXX_LIBRARY_H_
