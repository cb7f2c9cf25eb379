#include "sim/worker_pools.h"

#include <link.h>

#include <algorithm>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "sim/engine.h"
#include "sim/hooked_library.h"
#include "sim/message.h"

namespace jacquard::sim {
namespace {

constexpr const char* kLimitOfOpenMp = "OMP_THREAD_LIMIT";

struct Pool {
  std::string file;
  bool is_openmp;
  std::vector<DataRange> code;
};
constinit std::vector<Pool> pools;

void AddIfPool(const dl_phdr_info& module) {
  const std::string_view path = module.dlpi_name;
  const std::string_view file = path.substr(path.rfind('/') + 1);
  const auto is_one_of = [file](std::initializer_list<std::string_view> names) {
    return std::ranges::any_of(names,
                               [file](std::string_view name) { return file.starts_with(name); });
  };
  const bool is_openmp = is_one_of({"libomp.so", "libgomp.so", "libiomp5.so"});
  if ((!is_openmp && !is_one_of({"libtbb.so"})) || CallsHooks(module)) return;
  pools.push_back({std::string(file), is_openmp, {}});
  AddCode(module, pools.back().code);
}

const Pool* Find(uintptr_t pc) {
  const auto pool = std::ranges::find_if(
      pools, [pc](const Pool& one) { return IsIn(one.code, reinterpret_cast<const void*>(pc)); });
  return pool == pools.end() ? nullptr : &*pool;
}

}  // namespace

void FindWorkerPools() {
  dl_iterate_phdr(
      [](dl_phdr_info* module, size_t /*size*/, void* /*data*/) {
        AddIfPool(*module);
        return 0;
      },
      nullptr);
}

void LimitWorkerPools() {
  for (const Pool& pool : pools) {
    if (pool.is_openmp) {
      if (std::getenv(kLimitOfOpenMp) != nullptr) continue;
      setenv(kLimitOfOpenMp, "1", 1);
    }
    Warn("the threads of " + pool.file +
         " cannot be simulated: there are none, and what it makes parallel is not explored" +
         (pool.is_openmp ? std::string(" (") + kLimitOfOpenMp + "=1)" : std::string()));
  }
}

bool IsInWorkerPool(uintptr_t pc) { return Find(pc) != nullptr; }

void RefuseThreadOfWorkerPool(uintptr_t pc) {
  const Pool* const pool = Find(pc);
  if (pool == nullptr) return;
  const Backstage backstage;
  Die("unsupported: a thread of " + pool->file + ", which was compiled without the hooks: " +
      (pool->is_openmp ? std::string("set ") + kLimitOfOpenMp + "=1 in the environment"
                       : "compile it with them"));
}

}  // namespace jacquard::sim
