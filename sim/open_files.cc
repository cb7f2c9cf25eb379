// What an execution has opened is closed at its end. What was there before and it closes, or puts
// another file in the place of, is kept as a copy and comes back.
#include "sim/open_files.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <vector>

#include "sim/caller.h"
#include "sim/early_files.h"
#include "sim/engine.h"
#include "sim/file_positions.h"
#include "sim/own_descriptors.h"
#include "sim/real.h"
#include "sim/timer_files.h"

namespace jacquard::sim {
namespace {

// What is open outside of executions, or what a library keeps open. Other descriptors that an
// execution closes it has opened itself, in whatever way.
constexpr int kMost = 1024;
constinit std::atomic<bool> is_open_outside[kMost] = {};

bool IsOpenOutside(int descriptor) {
  return descriptor >= 0 && descriptor < kMost &&
         is_open_outside[descriptor].load(std::memory_order_relaxed);
}

// A descriptor from before the execution.
struct Kept {
  int descriptor;
  int copy;
  int flags;
};

// Flags (F_GETFL) of one from before the execution.
struct Flags {
  int descriptor;
  int flags;
};

// Who has opened a descriptor.
enum class Opener : uint8_t { kExecution, kConstructor, kOther };

// One that a wait needs.
struct Held {
  int descriptor;
  int original;
  Opener opener;
};

// What the execution has opened, and what of that which was there before it has changed.
struct OpenFiles {
  std::vector<OpenDescriptor> opened;
  std::vector<Kept> kept;
  std::vector<Flags> flags;
  std::vector<Held> held;
  bool any = false;
  bool shared = false;  // other processes may have some
};
constinit OpenFiles state;

// What the program has opened before its main.
constinit std::vector<OpenDescriptor> opened_early;

int known_files = 0;  // so many have numbers
int known_early = 0;

const OpenDescriptor* Find(const std::vector<OpenDescriptor>& all, int descriptor) {
  const auto found = std::find_if(
      all.begin(), all.end(), [=](const OpenDescriptor& one) { return one.number == descriptor; });
  return found == all.end() ? nullptr : &*found;
}

const Held* FindHeld(int descriptor) {
  const auto held = std::find_if(state.held.begin(), state.held.end(),
                                 [=](const Held& one) { return one.descriptor == descriptor; });
  return held == state.held.end() ? nullptr : &*held;
}

// Whether it is from before the execution, and the execution has closed it.
bool IsKept(int descriptor) {
  return std::any_of(state.kept.begin(), state.kept.end(),
                     [=](const Kept& kept) { return kept.descriptor == descriptor; });
}

// What the program has opened, in this execution or before its main; null: somebody else has.
const OpenDescriptor* FindOpened(int descriptor) {
  const OpenDescriptor* const opened = Find(state.opened, descriptor);
  if (opened != nullptr || IsKept(descriptor)) return opened;
  return Find(opened_early, descriptor);
}

Opener OpenerOf(int descriptor) {
  if (const Held* const held = FindHeld(descriptor)) return held->opener;
  if (Find(state.opened, descriptor) != nullptr) return Opener::kExecution;
  return FindOpened(descriptor) != nullptr ? Opener::kConstructor : Opener::kOther;
}

// Of what a constructor has opened: a copy is kept, which keeps the file open.
bool HasClosedEarlyFile() {
  return std::any_of(state.kept.begin(), state.kept.end(), [](const Kept& kept) {
    return Find(opened_early, kept.descriptor) != nullptr;
  });
}

// Whether it was there.
bool TakeOpened(int descriptor) {
  return std::erase_if(state.opened,
                       [=](const OpenDescriptor& one) { return one.number == descriptor; }) != 0;
}

int NewFile() { return known_files < kMostFiles ? known_files++ : kUnknownFile; }

// Leaves errno as it is.
int Note(const OpenDescriptor& opened) {
  const int error = errno;
  const Backstage backstage;
  state.any = true;
  state.opened.push_back(opened);
  errno = error;
  return opened.number;
}

int OpenedAs(int file, int descriptor, const void* caller) {
  if (descriptor >= 0 && IsByProgram(caller)) return Note({descriptor, file});
  SetOpenOutside(descriptor, true);
  if (descriptor >= 0 && engine.IsBeforeProgram() && FromProgramItself(caller))
    opened_early.push_back({descriptor, file});
  return descriptor;
}

// Keeps a descriptor from before the execution, unless that has been done.
void Keep(int descriptor) {
  const auto control = JACQUARD_REAL(fcntl);
  const int flags = control(descriptor, F_GETFD);
  if (flags < 0 || IsKept(descriptor)) return;
  int copy = control(descriptor, F_DUPFD_CLOEXEC, kAbove);
  if (copy < 0) copy = control(descriptor, F_DUPFD_CLOEXEC, 3);
  if (copy < 0) return;
  state.any = true;
  state.kept.push_back({descriptor, copy, flags});
}

}  // namespace

bool IsByProgram(const void* caller) {
  return arena_on && engine.Simulates() && FromProgramItself(caller);
}

int OpenedFile(int descriptor, const void* caller) {
  return OpenedAs(kUnknownFile, descriptor, caller);
}

int OpenedNewFile(int descriptor, const void* caller) {
  return OpenedAs(NewFile(), descriptor, caller);
}

int FileOf(int descriptor) {
  const OpenDescriptor* const opened = FindOpened(descriptor);
  return opened != nullptr ? opened->file : kUnknownFile;
}

int CopiedFile(int original, int copy, const void* caller) {
  CopyTimerFile(original, copy);
  return OpenedAs(FileOf(original), copy, caller);
}

int HoldFile(int descriptor) {
  const Backstage backstage;
  const int held = JACQUARD_REAL(fcntl)(descriptor, F_DUPFD_CLOEXEC, kAbove);
  if (held < 0) return held;
  CopyTimerFile(descriptor, held);
  state.held.push_back({held, descriptor, OpenerOf(descriptor)});
  state.any = true;
  return held;
}

int OriginalOf(int descriptor) {
  const Held* const held = FindHeld(descriptor);
  return held != nullptr ? held->original : descriptor;
}

void LetGoOfFile(int held) {
  const Backstage backstage;
  std::erase_if(state.held, [held](const Held& one) { return one.descriptor == held; });
  ForgetTimerFile(held);
  JACQUARD_REAL(close)(held);
}

bool IsOpenedByProgram(int descriptor) {
  if (state.shared) return false;
  const Opener opener = OpenerOf(descriptor);
  return opener == Opener::kExecution || (opener == Opener::kConstructor && !HasClosedEarlyFile());
}

void ForEachOpenedFile(const std::function<void(int)>& visit) {
  for (const OpenDescriptor& opened : opened_early) visit(opened.number);
  for (const OpenDescriptor& opened : state.opened) visit(opened.number);
}

void NoteFilesShared() { state.any = state.shared = true; }

void SetOpenOutside(int descriptor, bool open) {
  if (descriptor >= 0 && descriptor < kMost)
    is_open_outside[descriptor].store(open, std::memory_order_relaxed);
}

void OpenedPair(const int* pair, int result, const void* caller) {
  if (result != 0) return;
  const int file = NewFile();
  OpenedAs(file, pair[0], caller);
  OpenedAs(file, pair[1], caller);
}

bool IsOfRuntime(int descriptor) {
  return FindHeld(descriptor) != nullptr ||
         std::any_of(state.kept.begin(), state.kept.end(),
                     [descriptor](const Kept& kept) { return kept.copy == descriptor; });
}

void BeforeClose(int descriptor, const void* caller) {
  const bool is_by_program = IsByProgram(caller);
  const Backstage backstage;
  ForgetTimerFile(descriptor);
  if (state.any && TakeOpened(descriptor)) return;
  if (!IsOpenOutside(descriptor)) return;
  if (!is_by_program) {
    SetOpenOutside(descriptor, false);
    if (engine.IsBeforeProgram()) {
      std::erase_if(opened_early,
                    [=](const OpenDescriptor& one) { return one.number == descriptor; });
    }
    return;
  }
  Keep(descriptor);
}

void BeforeFlagsChange(int descriptor, const void* caller) {
  if (!IsByProgram(caller) || OpenerOf(descriptor) == Opener::kExecution) return;
  const bool is_known = std::ranges::any_of(
      state.flags, [=](const Flags& one) { return one.descriptor == descriptor; });
  const int flags = JACQUARD_REAL(fcntl)(descriptor, F_GETFL);
  if (is_known || flags < 0) return;
  const Backstage backstage;
  state.any = true;
  state.flags.push_back({descriptor, flags});
}

void GiveToStream(int descriptor) {
  const Backstage backstage;
  if (!TakeOpened(descriptor) && IsOpenOutside(descriptor)) Keep(descriptor);
}

void LearnOpenFiles() {
  const auto control = JACQUARD_REAL(fcntl);
  for (int descriptor = 0; descriptor < kMost; ++descriptor)
    SetOpenOutside(descriptor, control(descriptor, F_GETFD) >= 0);
  LearnFilePositions(opened_early);
  LearnEarlyFiles(opened_early);
  known_early = known_files;
}

bool HasReplacedFiles() { return !state.kept.empty(); }

void RestoreOpenFiles() {
  known_files = known_early;
  if (state.any) {
    const auto close_file = JACQUARD_REAL(close);
    for (const OpenDescriptor& opened : state.opened) close_file(opened.number);
    for (const Held& held : state.held) close_file(held.descriptor);
    // The last one first: what was kept later may stand in the place of what was kept before.
    for (auto kept = state.kept.rbegin(); kept != state.kept.rend(); ++kept) {
      JACQUARD_REAL(dup3)(kept->copy, kept->descriptor,
                          (kept->flags & FD_CLOEXEC) != 0 ? O_CLOEXEC : 0);
      close_file(kept->copy);
    }
    for (const Flags& one : state.flags) JACQUARD_REAL(fcntl)(one.descriptor, F_SETFL, one.flags);
    ForgetTimerFiles();
    state = {};
  }
  RestoreFilePositions();
  RestoreEarlyFiles();
}

}  // namespace jacquard::sim
