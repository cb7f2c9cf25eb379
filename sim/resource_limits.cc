#include "sim/resource_limits.h"

#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <vector>

#include "sim/engine.h"
#include "sim/real.h"

namespace jacquard::sim {
namespace {

struct Limit {
  int resource;
  rlimit64 limit;
};
// What the execution has replaced.
constinit std::vector<Limit> replaced;

int64_t Get(Limit& one) {
  return RawSyscall(SYS_prlimit64, 0, static_cast<uint64_t>(one.resource), 0,
                    reinterpret_cast<uint64_t>(&one.limit));
}
int64_t Set(const Limit& one) {
  return RawSyscall(SYS_prlimit64, 0, static_cast<uint64_t>(one.resource),
                    reinterpret_cast<uint64_t>(&one.limit), 0);
}

void BeforeLimitChanges(int resource) {
  if (!engine.InExecution()) return;
  const bool is_known = std::ranges::any_of(
      replaced, [resource](const Limit& one) { return one.resource == resource; });
  Limit old = {resource, {}};
  if (is_known || Get(old) != 0) return;
  const Backstage backstage;
  replaced.push_back(old);
}

bool IsThisProcess(pid_t process) { return process == 0 || process == getpid(); }

}  // namespace

void RestoreLimits() {
  for (Limit& old : replaced) {
    if (Set(old) == 0) continue;
    Limit now = old;
    Get(now);
    old.limit.rlim_max = now.limit.rlim_max;
    Set(old);
  }
  replaced.clear();
}

}  // namespace jacquard::sim

using jacquard::sim::BeforeLimitChanges;
using jacquard::sim::IsThisProcess;

extern "C" {

int setrlimit(__rlimit_resource_t resource, const rlimit* limit) noexcept {
  BeforeLimitChanges(resource);
  return JACQUARD_REAL(setrlimit)(resource, limit);
}

// Two names for one: on 64 bits all limits are large.
int setrlimit64(__rlimit_resource_t resource, const rlimit64* limit) noexcept {
  BeforeLimitChanges(resource);
  return JACQUARD_REAL(setrlimit64)(resource, limit);
}

int prlimit(pid_t process, __rlimit_resource resource, const rlimit* limit, rlimit* old) noexcept {
  if (limit != nullptr && IsThisProcess(process)) BeforeLimitChanges(resource);
  return JACQUARD_REAL(prlimit)(process, resource, limit, old);
}

int prlimit64(pid_t process, __rlimit_resource resource, const rlimit64* limit,
              rlimit64* old) noexcept {
  if (limit != nullptr && IsThisProcess(process)) BeforeLimitChanges(resource);
  return JACQUARD_REAL(prlimit64)(process, resource, limit, old);
}

}  // extern "C"
