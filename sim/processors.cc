// Which processor a simulated thread runs on, for code that keeps something per processor. Such
// code has to be right wherever it runs, and whenever it is moved: each time it asks, the thread is
// where it was, or on the next one of those that it may run on.
#include "sim/processors.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <deque>

#include "sim/engine.h"
#include "sim/heap_check.h"
#include "sim/real.h"
#include "sim/sync.h"
#include "sim/system_calls.h"
#include "sim/worker_pools.h"

namespace jacquard::sim {

bool affinities_set = false;

namespace {

// On which the process may run.
cpu_set_t OfProcess() {
  cpu_set_t set = {};
  RawSyscall(SYS_sched_getaffinity, 0, sizeof(set), reinterpret_cast<uint64_t>(&set));
  if (CPU_COUNT(&set) == 0) CPU_SET(0, &set);  // there are more than the set has room for
  return set;
}

// The sets that threads of the execution may run on. (They stay where they are.)
std::deque<cpu_set_t> sets;

// The number of the processor that is in the set behind `n` others.
unsigned NthIn(const cpu_set_t& set, unsigned n) {
  for (unsigned processor = 0;; ++processor) {
    if (CPU_ISSET(processor, &set) && n-- == 0) return processor;
  }
}

unsigned FindProcessor() {
  static const cpu_set_t all = OfProcess();
  SimThread& me = *engine.current;
  me.spin.Reset();  // to the spin detector another round
  // Asked whatever the count, so that a search is the same on every machine.
  if (engine.Choose(PickKind::kData, 2) != 0) ++me.moves;
  const cpu_set_t& set = me.processors != nullptr ? *me.processors : all;
  const unsigned number = static_cast<unsigned>(me.id) + me.moves;
  return NthIn(set, number % static_cast<unsigned>(CPU_COUNT(&set)));
}

SimThread* Find(pid_t tid) { return tid == 0 ? engine.current : engine.FindThreadOfTid(tid); }

const cpu_set_t* OneOfProcess() {
  static cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(NthIn(OfProcess(), 0), &one);
  return &one;
}

}  // namespace

int GetProcessor(unsigned* processor, unsigned* node, uintptr_t pc) {
  for (unsigned* const result : {processor, node}) {
    if (result == nullptr) continue;
    CheckAccess(result, sizeof(*result), AccessKind::kWrite, pc);
    engine.rollback.BeforeWrite(result, sizeof(*result));
  }
  if (processor != nullptr) *processor = FindProcessor();
  if (node != nullptr) *node = 0;
  return 0;
}

long GetAffinity(pid_t tid, size_t size, cpu_set_t* set, uintptr_t pc) {
  const SimThread* const thread = Find(tid);
  CheckAccess(set, size, AccessKind::kWrite, pc);
  engine.rollback.BeforeWrite(set, size);
  const long bytes =
      RawSyscall(SYS_sched_getaffinity, static_cast<uint64_t>(thread != nullptr ? 0 : tid), size,
                 reinterpret_cast<uint64_t>(set));
  if (bytes <= 0 || thread == nullptr) return bytes;
  const cpu_set_t* const said = IsInWorkerPool(pc) ? OneOfProcess() : thread->processors;
  if (said != nullptr) std::memcpy(set, said, std::min<size_t>(bytes, sizeof(*set)));
  return bytes;
}

long SetAffinity(pid_t tid, size_t size, const cpu_set_t* set, uintptr_t pc) {
  SimThread* const thread = Find(tid);
  if (thread == nullptr) {
    return RawSyscall(SYS_sched_setaffinity, static_cast<uint64_t>(tid), size,
                      reinterpret_cast<uint64_t>(set));
  }
  CheckAccess(set, size, AccessKind::kRead, pc);
  cpu_set_t wanted = {};
  std::memcpy(&wanted, set, std::min(size, sizeof(wanted)));
  const cpu_set_t* const processors = ProcessorsAmong(wanted);
  if (processors == nullptr) return -EINVAL;
  thread->processors = processors;
  return 0;
}

const cpu_set_t* ProcessorsAmong(const cpu_set_t& wanted) {
  const cpu_set_t there = OfProcess();
  cpu_set_t both;
  CPU_AND(&both, &wanted, &there);
  if (CPU_COUNT(&both) == 0) return nullptr;
  const Backstage backstage;
  affinities_set = true;
  return &sets.emplace_back(both);
}

pid_t RealThreadOf(pid_t tid) {
  return engine.Simulates() && engine.FindThreadOfTid(tid) != nullptr ? 0 : tid;
}

void ForgetAffinities() {
  affinities_set = false;
  sets.clear();
}

}  // namespace jacquard::sim

using jacquard::sim::engine;
using jacquard::sim::RealThreadOf;
using jacquard::sim::ResultOf;

namespace {

// As the C library's functions: all of the set is written.
int GetAffinity(pid_t tid, size_t size, cpu_set_t* set, uintptr_t pc) {
  const long bytes = jacquard::sim::GetAffinity(tid, size, set, pc);
  if (bytes < 0) return static_cast<int>(-bytes);
  std::memset(reinterpret_cast<char*>(set) + bytes, 0, size - bytes);
  return 0;
}
int SetAffinity(pid_t tid, size_t size, const cpu_set_t* set, uintptr_t pc) {
  return static_cast<int>(-jacquard::sim::SetAffinity(tid, size, set, pc));
}

// 0 if it is nobody's.
pid_t TidOf(pthread_t handle) {
  const jacquard::sim::SimThread* const thread = engine.FindThread(handle);
  return thread != nullptr && !engine.HasEnded(*thread) ? engine.TidOf(*thread) : 0;
}

}  // namespace

extern "C" {

int sched_getcpu() noexcept {
  if (!engine.Simulates()) return JACQUARD_REAL(sched_getcpu)();
  return static_cast<int>(jacquard::sim::FindProcessor());
}

int getcpu(unsigned* processor, unsigned* node) noexcept {
  if (!engine.Simulates()) return JACQUARD_REAL(getcpu)(processor, node);
  return jacquard::sim::GetProcessor(processor, node, JACQUARD_CALLER);
}

int sched_getaffinity(pid_t tid, size_t size, cpu_set_t* set) noexcept {
  if (!engine.Simulates()) return JACQUARD_REAL(sched_getaffinity)(tid, size, set);
  return static_cast<int>(ResultOf(GetAffinity(tid, size, set, JACQUARD_CALLER)));
}

int sched_setaffinity(pid_t tid, size_t size, const cpu_set_t* set) noexcept {
  if (!engine.Simulates()) return JACQUARD_REAL(sched_setaffinity)(tid, size, set);
  return static_cast<int>(ResultOf(SetAffinity(tid, size, set, JACQUARD_CALLER)));
}

int pthread_getaffinity_np(pthread_t thread, size_t size, cpu_set_t* set) noexcept {
  if (!engine.Simulates()) return JACQUARD_REAL(pthread_getaffinity_np)(thread, size, set);
  const pid_t tid = TidOf(thread);
  return tid != 0 ? GetAffinity(tid, size, set, JACQUARD_CALLER) : ESRCH;
}

int pthread_setaffinity_np(pthread_t thread, size_t size, const cpu_set_t* set) noexcept {
  if (!engine.Simulates()) return JACQUARD_REAL(pthread_setaffinity_np)(thread, size, set);
  const pid_t tid = TidOf(thread);
  return tid != 0 ? SetAffinity(tid, size, set, JACQUARD_CALLER) : ESRCH;
}

int sched_getscheduler(pid_t tid) noexcept {
  return JACQUARD_REAL(sched_getscheduler)(RealThreadOf(tid));
}

int sched_setscheduler(pid_t tid, int policy, const sched_param* parameters) noexcept {
  return JACQUARD_REAL(sched_setscheduler)(RealThreadOf(tid), policy, parameters);
}

int sched_getparam(pid_t tid, sched_param* parameters) noexcept {
  return JACQUARD_REAL(sched_getparam)(RealThreadOf(tid), parameters);
}

int sched_setparam(pid_t tid, const sched_param* parameters) noexcept {
  return JACQUARD_REAL(sched_setparam)(RealThreadOf(tid), parameters);
}

int getpriority(__priority_which_t which, id_t tid) noexcept {
  if (which == PRIO_PROCESS) tid = static_cast<id_t>(RealThreadOf(static_cast<pid_t>(tid)));
  return JACQUARD_REAL(getpriority)(which, tid);
}

int setpriority(__priority_which_t which, id_t tid, int priority) noexcept {
  if (which == PRIO_PROCESS) tid = static_cast<id_t>(RealThreadOf(static_cast<pid_t>(tid)));
  return JACQUARD_REAL(setpriority)(which, tid, priority);
}

}  // extern "C"
