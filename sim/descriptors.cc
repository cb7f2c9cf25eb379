#include "sim/descriptors.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sim/caller.h"
#include "sim/signals.h"
#include "sim/sync.h"
#include "sim/unsupported.h"

namespace jacquard::sim {
namespace {

// What all these steps have to do with, as a file may have several descriptors, and a pipe has two
// ends.
constexpr char kFiles = 0;

// Whether somebody may read what is written there, who then knows that it has been: not in a log.
bool IsReadByOthers(int file) {
  struct stat status;
  if (file <= STDERR_FILENO || fstat(file, &status) != 0) return false;
  return !S_ISREG(status.st_mode) && !S_ISCHR(status.st_mode) && !S_ISDIR(status.st_mode);
}

// By the threads that wait, of those with these numbers.
constinit DescriptorCall::Awaited awaited_by[kMaxThreads] = {};

bool IsOfProgram(uintptr_t pc) {
  const auto* const caller = reinterpret_cast<const void*>(pc);
  return engine.Simulates() && FromProgram(caller) && !FromRuntime(caller);
}

}  // namespace

DescriptorCall::DescriptorCall(int file, Effect effect, uintptr_t pc)
    : file_(file), pc_(pc), effect_(effect), is_step_(IsOfProgram(pc)) {
  if (engine.Simulates()) engine.current->spin.Reset();  // which does not see what this does
  if (!is_step_) return;
  engine.DecisionPoint(StepOf(), &kFiles, pc);
  if (effect != Effect::kTakes && IsReadByOthers(file)) engine.Release(&kFiles);
}

DescriptorCall::~DescriptorCall() {
  if (!is_step_) return;
  const int error = errno;
  if (effect_ == Effect::kTakes) engine.Acquire(&kFiles);
  WakeReadyDescriptors();
  const uint64_t which = file_ < 0 ? kSeveralFiles : static_cast<uint64_t>(file_);
  Finish(StepOf(), &kFiles, which, which, pc_);
  errno = error;
}

StepKind DescriptorCall::StepOf() const {
  switch (effect_) {
    case Effect::kGives:
      return StepKind::kFileOutput;
    case Effect::kTakes:
      return StepKind::kFileInput;
    case Effect::kCloses:
      return StepKind::kFileClose;
  }
}

bool DescriptorCall::Wait(const Awaited& awaited, uint64_t deadline) const {
  if (!is_step_) Unsupported(awaited.what);
  WakeReadyDescriptors();  // what has been done so far may be what others wait for
  awaited_by[engine.current->id] = awaited;
  for (;;) {
    engine.Block(WaitReason::kDescriptor, &kFiles, pc_, deadline);
    if (awaited.is_ready(awaited.data)) return true;
    if (engine.current->timed_out) return false;
  }
}

bool WakeReadyDescriptors() {
  bool any = false;
  engine.ForEachWaiter(WaitReason::kDescriptor, &kFiles, [&any](SimThread& thread) {
    const DescriptorCall::Awaited& awaited = awaited_by[thread.id];
    if (!engine.IsBlocked(thread) || !awaited.is_ready(awaited.data)) return;
    engine.MakeRunnable(thread);
    any = true;
  });
  return any;
}

std::string_view DescriptorWaitOf(const SimThread& thread) { return awaited_by[thread.id].what; }

bool WaitsForOthers(const SimThread& thread) {
  const DescriptorCall::Awaited& awaited = awaited_by[thread.id];
  return HandlesSignals() || !awaited.is_private(awaited.data);
}

}  // namespace jacquard::sim
