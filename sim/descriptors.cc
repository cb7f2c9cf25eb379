#include "sim/descriptors.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <vector>

#include "sim/cancellation.h"
#include "sim/open_files.h"
#include "sim/private_files.h"
#include "sim/signals.h"
#include "sim/sync.h"
#include "sim/timer_files.h"
#include "sim/unsupported.h"

namespace jacquard::sim {
namespace {

// What all these steps have to do with.
constexpr char kFiles = 0;

// What stands for files where something is handed over: what is written, and the room that readers
// make. Who takes from one file takes what has been given to it, and what has been given to those
// that are not known, which it may be; who takes from such a one takes everything.
class Handovers {
 public:
  void Give(int file) const {
    engine.Release(ObjectOf(file));
    engine.Release(&any_);
  }
  void Take(int file) const {
    engine.Acquire(&unknown_);
    engine.Acquire(file == kUnknownFile ? &any_ : ObjectOf(file));
  }

 private:
  const char* ObjectOf(int file) const { return file == kUnknownFile ? &unknown_ : &known_[file]; }

  char any_ = 0;
  char unknown_ = 0;
  char known_[kMostFiles] = {};
};
constexpr Handovers kWritten;
constexpr Handovers kRoom;

// Whether somebody may read what is written there, who then knows that it has been: not in a log.
bool IsReadByOthers(int file) {
  struct stat status;
  if (file <= STDERR_FILENO || fstat(file, &status) != 0) return false;
  return !S_ISREG(status.st_mode) && !S_ISCHR(status.st_mode) && !S_ISDIR(status.st_mode);
}

// By the threads that wait, of those with these numbers.
constinit DescriptorCall::Awaited awaited_by[kMaxThreads] = {};

// When the first timer among the files expires.
uint64_t FirstTimer(const DescriptorCall::Awaited& awaited) {
  const Backstage backstage;
  uint64_t first = Engine::kNoDeadline;
  awaited.for_each_file(awaited.data,
                        [&first](int file) { first = std::min(first, DeadlineOfTimerFile(file)); });
  return first;
}

}  // namespace

DescriptorCall::DescriptorCall(int file, Effect effect, uintptr_t pc, Cancellation cancellation)
    : file_(file),
      pc_(pc),
      effect_(effect),
      is_step_(IsByProgram(reinterpret_cast<const void*>(pc))) {
  if (engine.Simulates()) engine.current->spin.Reset();  // which does not see what this does
  if (!is_step_) return;
  if (cancellation == Cancellation::kIsPoint) TestCancel(pc);
  engine.DecisionPoint(StepOf(), &kFiles, pc);
  if (effect == Effect::kTakes && DeadlineOfTimerFile(file) != Engine::kNoDeadline)
    engine.ReadClock();
  ExpireTimerFiles();
  known_file_ = FileOf(file);
  if (effect != Effect::kTakes && IsReadByOthers(file)) kWritten.Give(known_file_);
}

DescriptorCall::~DescriptorCall() {
  if (!is_step_) return;
  const int error = errno;
  if (held_ >= 0) LetGoOfFile(held_);
  if (is_cancelled_) return;
  if (effect_ == Effect::kTakes && !takes_nothing_) {
    kWritten.Take(known_file_);
    kRoom.Give(known_file_);
  } else if (effect_ == Effect::kGives) {
    kRoom.Take(known_file_);
    if (error == EPIPE) kWritten.Take(kUnknownFile);  // of who has closed the other end
  }
  WakeReadyDescriptors();
  uint64_t which = file_ < 0 ? kSeveralFiles : static_cast<uint64_t>(file_);
  if (timed_out_ && takes_nothing_ && file_ < 0) which = kNoFileInTime;
  Finish(StepOf(), &kFiles, which, which, pc_);
  errno = error;
}

void DescriptorCall::Take() const {
  if (is_step_) kWritten.Take(known_file_);
}

void DescriptorCall::Give() const {
  if (is_step_) kWritten.Give(known_file_);
}

void DescriptorCall::Hold() {
  if (is_step_ && held_ < 0) held_ = HoldFile(file_);
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

void DescriptorCall::PassTimeFor(const Awaited& awaited) const {
  if (!is_step_ || FirstTimer(awaited) == Engine::kNoDeadline) return;
  engine.ReadClock();
  ExpireTimerFiles();
}

DescriptorCall::End DescriptorCall::Wait(const Awaited& awaited, uint64_t deadline) const {
  if (!is_step_) Unsupported(awaited.what);
  WakeReadyDescriptors();  // what has been done so far may be what others wait for
  SimThread& me = *engine.current;
  awaited_by[me.id] = awaited;
  for (;;) {
    engine.Block(WaitReason::kDescriptor, &kFiles, pc_, std::min(deadline, FirstTimer(awaited)));
    is_cancelled_ = me.wait_is_cancelled;
    LeaveIfCancelled(me, pc_);
    ExpireTimerFiles();
    if (awaited.is_ready(awaited.data)) return End::kReady;
    timed_out_ = me.timed_out && deadline <= engine.clock.now();
    if (timed_out_) return End::kTimedOut;
    if (me.woken_spuriously && awaited.interruption != Interruption::kIsNone &&
        !(awaited.interruption == Interruption::kEndsUnlessRestarted && me.restarts_calls))
      return End::kInterrupted;
    awaited_by[me.id] = awaited;  // a handler may have waited, too
  }
}

bool WakeReadyDescriptors() {
  bool any = false;
  engine.ForEachWaiter(WaitReason::kDescriptor, &kFiles, [&any](SimThread& thread) {
    const DescriptorCall::Awaited& awaited = awaited_by[thread.id];
    if (!engine.IsBlocked(thread)) return;
    // A timer may have been set in the meantime: then it waits for that.
    if (!awaited.is_ready(awaited.data) && FirstTimer(awaited) >= thread.deadline) return;
    engine.MakeRunnable(thread);
    any = true;
  });
  return any;
}

std::string_view DescriptorWaitOf(const SimThread& thread) { return awaited_by[thread.id].what; }

std::string DescribeDescriptorWait(const SimThread& thread) {
  const DescriptorCall::Awaited& awaited = awaited_by[thread.id];
  std::vector<int> all;
  awaited.for_each_file(awaited.data, [&all](int file) {
    const int name = OriginalOf(file);
    if (std::find(all.begin(), all.end(), name) == all.end()) all.push_back(name);
  });
  std::string text = awaited.what;
  for (size_t i = 0; i < all.size(); ++i) {
    if (i == 0) {
      text += all.size() == 1 ? " for descriptor " : " for descriptors ";
    } else {
      text += i + 1 == all.size() ? " and " : ", ";
    }
    text += std::to_string(all[i]);
  }
  return text;
}

bool WaitsForOthers(const SimThread& thread) {
  const DescriptorCall::Awaited& awaited = awaited_by[thread.id];
  bool any = false;
  bool all = true;
  awaited.for_each_file(awaited.data, [&](int file) {
    any = true;
    all = all && IsPrivateFile(file);
  });
  if (any) return !all || HandlesSignals();
  // For no file at all: it sleeps, or waits for a signal.
  return thread.deadline == Engine::kNoDeadline;
}

}  // namespace jacquard::sim
