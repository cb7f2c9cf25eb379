// setuid and its like: whose the process is. To the kernel each thread has an identity of its own;
// the C library makes all of them change theirs, by a signal, and waits. The threads whose storage
// simulated threads have do not run, and would never answer. So here it is the one that executes
// that changes, which is all that there is to the program.
//
// It stays changed when the execution ends: what has been given up nobody can take back.
#include <errno.h>
#include <grp.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#include <cstdint>
#include <vector>

#include "sim/engine.h"
#include "sim/real.h"
#include "sim/system_calls.h"

namespace jacquard::sim {
namespace {

constexpr auto kUnchanged = static_cast<uid_t>(-1);

// As a system call returns: 0, or -1 with that as errno.
int Result(int error) { return static_cast<int>(ResultOf(error)); }

template <class... Arguments>
int Call(long number, Arguments... arguments) {
  return Result(-static_cast<int>(RawSyscall(number, static_cast<uint64_t>(arguments)...)));
}

// `real` if there are no simulated threads yet.
template <class Real, class... Arguments>
int ChangeIdentity(long number, Real real, Arguments... arguments) {
  if (!engine.initialized()) return real(arguments...);
  return Call(number, arguments...);
}

// To change only the effective one; -1 is none.
int ChangeEffective(long number, int (*real)(unsigned), unsigned identity) {
  if (!engine.initialized()) return real(identity);
  if (identity == kUnchanged) return Result(EINVAL);
  return Call(number, kUnchanged, identity, kUnchanged);
}

int SetGroups(size_t count, const gid_t* groups) {
  return Call(SYS_setgroups, count, reinterpret_cast<uint64_t>(groups));
}

// All that the user is in.
std::vector<gid_t> GroupsOf(const char* user, gid_t group) {
  int count = 32;
  std::vector<gid_t> groups;
  do {
    groups.resize(static_cast<size_t>(count));
  } while (getgrouplist(user, group, groups.data(), &count) < 0);
  groups.resize(static_cast<size_t>(count));
  return groups;
}

}  // namespace
}  // namespace jacquard::sim

using jacquard::sim::ChangeEffective;
using jacquard::sim::ChangeIdentity;
using jacquard::sim::engine;

extern "C" {

int setuid(uid_t user) noexcept { return ChangeIdentity(SYS_setuid, JACQUARD_REAL(setuid), user); }
int setgid(gid_t group) noexcept {
  return ChangeIdentity(SYS_setgid, JACQUARD_REAL(setgid), group);
}
int seteuid(uid_t user) noexcept {
  return ChangeEffective(SYS_setresuid, JACQUARD_REAL(seteuid), user);
}
int setegid(gid_t group) noexcept {
  return ChangeEffective(SYS_setresgid, JACQUARD_REAL(setegid), group);
}
int setreuid(uid_t real, uid_t effective) noexcept {
  return ChangeIdentity(SYS_setreuid, JACQUARD_REAL(setreuid), real, effective);
}
int setregid(gid_t real, gid_t effective) noexcept {
  return ChangeIdentity(SYS_setregid, JACQUARD_REAL(setregid), real, effective);
}
int setresuid(uid_t real, uid_t effective, uid_t saved) noexcept {
  return ChangeIdentity(SYS_setresuid, JACQUARD_REAL(setresuid), real, effective, saved);
}
int setresgid(gid_t real, gid_t effective, gid_t saved) noexcept {
  return ChangeIdentity(SYS_setresgid, JACQUARD_REAL(setresgid), real, effective, saved);
}

int setgroups(size_t count, const gid_t* groups) noexcept {
  if (!engine.initialized()) return JACQUARD_REAL(setgroups)(count, groups);
  return jacquard::sim::SetGroups(count, groups);
}

int initgroups(const char* user, gid_t group) {
  if (!engine.initialized()) return JACQUARD_REAL(initgroups)(user, group);
  const jacquard::sim::Backstage backstage;
  const std::vector<gid_t> groups = jacquard::sim::GroupsOf(user, group);
  return jacquard::sim::SetGroups(groups.size(), groups.data());
}

}  // extern "C"
