#include "sim/openmp.h"

#include <dlfcn.h>
#include <link.h>

#include <algorithm>
#include <cstdlib>
#include <string>
#include <string_view>

#include "sim/caller.h"
#include "sim/engine.h"
#include "sim/message.h"

namespace jacquard::sim {
namespace {

constexpr const char* kLimit = "OMP_THREAD_LIMIT";

std::string_view FileOf(std::string_view path) { return path.substr(path.rfind('/') + 1); }

bool IsOpenMp(std::string_view file) {
  constexpr std::string_view kNames[] = {"libomp.so", "libgomp.so", "libiomp5.so"};
  return std::ranges::any_of(kNames,
                             [file](std::string_view name) { return file.starts_with(name); });
}

}  // namespace

void LimitOpenMp() {
  std::string library;
  dl_iterate_phdr(
      [](dl_phdr_info* module, size_t /*size*/, void* data) {
        const std::string_view file = FileOf(module->dlpi_name);
        if (IsOpenMp(file)) *static_cast<std::string*>(data) = file;
        return 0;
      },
      &library);
  if (library.empty() || std::getenv(kLimit) != nullptr) return;
  setenv(kLimit, "1", 1);
  Warn("OpenMP's threads cannot be simulated: " + library + " is limited to one (" + kLimit +
       "=1), and what is parallel by OpenMP is not explored");
}

void RefuseThreadOfOpenMp(uintptr_t pc) {
  if (FromProgram(reinterpret_cast<void*>(pc))) return;
  const Backstage backstage;
  Dl_info info;
  if (dladdr(reinterpret_cast<void*>(pc), &info) == 0 || info.dli_fname == nullptr ||
      !IsOpenMp(FileOf(info.dli_fname)))
    return;
  Die(std::string("unsupported: a thread of OpenMP's: set ") + kLimit +
      "=1 in the environment, or compile without -fopenmp");
}

}  // namespace jacquard::sim
