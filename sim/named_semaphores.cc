#include "sim/named_semaphores.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <semaphore.h>
#include <unistd.h>

#include <cstdarg>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "sim/real.h"
#include "sim/sync.h"
#include "sim/unsupported.h"

namespace jacquard::sim {
namespace {

// Where the C library keeps them.
constexpr std::string_view kFolder = "/dev/shm/sem.";

struct NamedSemaphore {
  char name[NAME_MAX + 1];  // without the slash in front
  bool is_linked;           // there is one of that name, and it is this
  int times_open;
  uint32_t value;  // while nobody has it open
};

// None is given out again in an execution: whoever uses one that has been closed is told.
constexpr int kMost = 256;
NamedSemaphore entries[kMost];
sem_t semaphores[kMost];
int count = 0;

int Fails(int error) {
  errno = error;
  return -1;
}

sem_t* FailsToOpen(int error) {
  errno = error;
  return SEM_FAILED;
}

// 0, or what is wrong with a name; that is copied without its slashes in front.
int ReadName(const char* name, char (&copy)[NAME_MAX + 1]) {
  while (*name == '/') ++name;
  const size_t size = std::strlen(name) + 1;
  if (size == 1 || std::strchr(name, '/') != nullptr) return EINVAL;
  if (size + std::strlen("sem.") > sizeof(copy)) return ENAMETOOLONG;
  std::memcpy(copy, name, size);
  return 0;
}

int FindLinked(const char* name) {
  for (int i = 0; i < count; ++i) {
    if (entries[i].is_linked && std::strcmp(entries[i].name, name) == 0) return i;
  }
  return -1;
}

// Below 0: none is there.
int FindAt(const void* address) {
  const uintptr_t offset =
      reinterpret_cast<uintptr_t>(address) - reinterpret_cast<uintptr_t>(semaphores);
  const uintptr_t i = offset / sizeof(sem_t);
  return i < static_cast<uintptr_t>(count) && offset % sizeof(sem_t) == 0 ? static_cast<int>(i)
                                                                          : -1;
}

void SetValue(sem_t& semaphore, uint32_t value) {
  semaphore = {};
  std::memcpy(&semaphore, &value, sizeof(value));
}

uint32_t& ValueOf(sem_t& semaphore) { return reinterpret_cast<uint32_t&>(semaphore); }

bool IsMadeByOthers(const char* name) {
  const Backstage backstage;
  const std::string file = std::string(kFolder) + name;
  return JACQUARD_REAL(access)(file.c_str(), F_OK) == 0;
}

sem_t* Open(const char* given_name, int flags, unsigned value, uintptr_t pc) {
  engine.DecisionPoint(StepKind::kOther, nullptr, pc);
  engine.current->spin.Reset();
  Finish(StepKind::kOther, nullptr, 0, 0, pc);
  char name[NAME_MAX + 1];
  if (const int error = ReadName(given_name, name); error != 0) return FailsToOpen(error);
  int i = FindLinked(name);
  if (i >= 0) {
    if ((flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL)) return FailsToOpen(EEXIST);
    if (entries[i].times_open++ == 0) SetValue(semaphores[i], entries[i].value);
    return &semaphores[i];
  }
  if ((flags & O_CREAT) == 0) {
    if (IsMadeByOthers(name)) Unsupported("sem_open of another process's semaphore");
    return FailsToOpen(ENOENT);
  }
  if (value > SEM_VALUE_MAX) return FailsToOpen(EINVAL);
  static_assert(kMost == 256);
  if (count == kMost) Unsupported("sem_open of more than 256 semaphores");
  i = count++;
  entries[i].is_linked = true;
  entries[i].times_open = 1;
  std::memcpy(entries[i].name, name, sizeof(name));
  SetValue(semaphores[i], value);
  return &semaphores[i];
}

int Close(sem_t* semaphore, uintptr_t pc) {
  engine.DecisionPoint(StepKind::kDestroy, semaphore, pc);
  const int i = FindAt(semaphore);
  if (i < 0 || entries[i].times_open == 0) {
    Finish(StepKind::kDestroy, semaphore, 0, 0, pc);
    return Fails(EINVAL);
  }
  if (--entries[i].times_open == 0) {
    engine.ForEachWaiter(WaitReason::kSemaphore, semaphore, [pc](const SimThread& thread) {
      Misuse("semaphore closed while it is waited for",
             "thread " + std::to_string(thread.id) + " waits", pc);
    });
    entries[i].value = ValueOf(*semaphore);
    MarkDestroyed(semaphore, ValueOf(*semaphore));
  }
  Finish(StepKind::kDestroy, semaphore, 0, 0, pc);
  return 0;
}

int Unlink(const char* given_name, uintptr_t pc) {
  engine.DecisionPoint(StepKind::kOther, nullptr, pc);
  engine.current->spin.Reset();
  Finish(StepKind::kOther, nullptr, 0, 0, pc);
  char name[NAME_MAX + 1];
  if (ReadName(given_name, name) != 0) return Fails(ENOENT);
  const int i = FindLinked(name);
  if (i < 0) return Fails(ENOENT);
  entries[i].is_linked = false;
  return 0;
}

}  // namespace

void ForgetNamedSemaphores() { count = 0; }

}  // namespace jacquard::sim

std::string jacquard::NameOfSemaphore(const void* address) {
  const int i = sim::FindAt(address);
  return i >= 0 ? std::string("/") + sim::entries[i].name : "";
}

using jacquard::sim::engine;

extern "C" {

sem_t* sem_open(const char* name, int flags, ...) noexcept {
  va_list list;
  va_start(list, flags);
  const bool creates = (flags & O_CREAT) != 0;
  const mode_t mode = creates ? va_arg(list, mode_t) : 0;
  const unsigned value = creates ? va_arg(list, unsigned) : 0;
  va_end(list);
  if (!engine.Simulates()) return JACQUARD_REAL(sem_open)(name, flags, mode, value);
  return jacquard::sim::Open(name, flags, value, JACQUARD_CALLER);
}

int sem_close(sem_t* semaphore) noexcept {
  if (!engine.Simulates()) return JACQUARD_REAL(sem_close)(semaphore);
  return jacquard::sim::Close(semaphore, JACQUARD_CALLER);
}

int sem_unlink(const char* name) noexcept {
  if (!engine.Simulates()) return JACQUARD_REAL(sem_unlink)(name);
  return jacquard::sim::Unlink(name, JACQUARD_CALLER);
}

}  // extern "C"
