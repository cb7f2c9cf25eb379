// Small programs with the C++ library's own primitives: the guinea pigs of the tests and of the
// figures.
#ifndef JACQUARD_TESTS_LIBRARIES_PROGRAMS_H_
#define JACQUARD_TESTS_LIBRARIES_PROGRAMS_H_

#include <span>

namespace jacquard::libraries {

struct LibraryProgram {
  const char* name;  // the primitive's
  void (*body)();
  // What is wrong with the library, as the verdict's kind names it ("deadlock"); null if nothing
  // is known.
  const char* finding;
};

std::span<const LibraryProgram> LibraryPrograms();

}  // namespace jacquard::libraries

#endif  // JACQUARD_TESTS_LIBRARIES_PROGRAMS_H_
