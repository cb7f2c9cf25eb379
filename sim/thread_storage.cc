#include "sim/thread_storage.h"

#include <asm/prctl.h>
#include <errno.h>
#include <link.h>
#include <linux/futex.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "sim/execute.h"
#include "sim/hooked_library.h"
#include "sim/message.h"
#include "sim/real.h"
#include "sim/reserve.h"
#include "sim/valgrind.h"

namespace jacquard::sim {

bool has_fsgsbase = false;
int park_shift = 22;  // enough for the thread-local storage of most programs

namespace {

// Bit of AT_HWCAP2 by which Linux says that user code may use the FSGSBASE instructions.
constexpr unsigned long kHwcap2FsGsBase = 1 << 1;

constexpr size_t kParkStack = 256 << 10;  // with the storage of shared libraries

// Thread-local variables of a module: their initial image, and where a thread's copy lies.
struct TlsImage {
  const char* initial = nullptr;
  size_t initialised = 0;
  size_t size = 0;     // with zeros behind what is initialised
  int64_t offset = 0;  // of a thread's copy from its FS base
};
// Of the executable, and of libraries with hooks, which were loaded with it: then the offset is the
// same for all threads.
std::vector<TlsImage> tls_images;
size_t tls_size = 0;  // of all of them

// The storage that is kept, and a copy of each module's variables in it.
uint64_t kept_fs_base = 0;
std::vector<std::vector<char>> kept_copies;

char* CopyIn(const ThreadStorage& storage, const TlsImage& image) {
  return reinterpret_cast<char*>(storage.fs_base + image.offset);
}

int FindTlsImages(dl_phdr_info* info, size_t /*size*/, void* data) {
  bool& is_executable = *static_cast<bool*>(data);  // the first module is
  const bool is_program = is_executable || CallsHooks(*info);
  is_executable = false;
  for (int i = 0; i < info->dlpi_phnum && is_program; ++i) {
    const ElfW(Phdr)& header = info->dlpi_phdr[i];
    if (header.p_type != PT_TLS || info->dlpi_tls_data == nullptr) continue;
    const auto begin = reinterpret_cast<uintptr_t>(info->dlpi_tls_data);
    tls_images.push_back(
        {.initial = reinterpret_cast<const char*>(info->dlpi_addr + header.p_vaddr),
         .initialised = header.p_filesz,
         .size = header.p_memsz,
         .offset = static_cast<int64_t>(begin) - static_cast<int64_t>(ReadFsBase())});
    tls_size += header.p_memsz;
  }
  return 0;
}

// The kernel's number of the thread whose storage it is, as the C library notes it there: at the
// same place in each. Null if there is no such place.
pid_t* NotedTid(pthread_t thread, pid_t tid) {
  constexpr size_t kSize = 2048;  // of struct pthread, at least
  static size_t place = 0;
  auto* const words = reinterpret_cast<pid_t*>(thread);
  const auto* const own = reinterpret_cast<const pid_t*>(pthread_self());
  const auto own_tid = static_cast<pid_t>(RawSyscall(SYS_gettid));
  while (place < kSize / sizeof(pid_t) && (words[place] != tid || own[place] != own_tid)) ++place;
  return place < kSize / sizeof(pid_t) ? words + place : nullptr;
}

struct Parking {
  std::atomic<uint32_t> ready;
  ThreadStorage storage;
  pid_t tid;
};

// System calls only: functions of the C library are interposed, and once the simulated thread uses
// this storage, a call from here looks like one of it.
void* Park(void* argument) {
  auto& parking = *static_cast<Parking*>(argument);
  LeaveSignalsToProgram();
  parking.storage = {ReadFsBase(), pthread_self(), &errno};
  parking.tid = static_cast<pid_t>(RawSyscall(SYS_gettid));
  std::atomic<uint32_t>* const ready = &parking.ready;
  ready->store(1, std::memory_order_release);  // pairs with the load in ParkThread()
  // The other one may have returned by now: then the address means nothing, and nobody waits there.
  RawSyscall(SYS_futex, reinterpret_cast<uint64_t>(ready), FUTEX_WAKE_PRIVATE, 1);
  for (;;) RawSyscall(SYS_pause);
}

}  // namespace

void InitThreadStorage() {
  // For tests of the slower way. Valgrind does not know the instructions, and says otherwise.
  const bool forbidden = std::getenv("JACQUARD_NO_FSGSBASE") != nullptr || RunsInValgrind();
  has_fsgsbase = (getauxval(AT_HWCAP2) & kHwcap2FsGsBase) != 0 && !forbidden;
  if (!has_fsgsbase) {
    Warn(
        "no FSGSBASE instructions: threads that use thread-local storage are switched by system "
        "call, several times slower");
  }
  bool is_executable = true;
  dl_iterate_phdr(FindTlsImages, &is_executable);
  while ((size_t{1} << park_shift) < kParkStack + tls_size) ++park_shift;
}

ThreadStorage ParkThread(int index) {
  const size_t stride = size_t{1} << park_shift;
  const size_t size = kParkStack + tls_size;
  void* const stack = ReserveAt(kParkArea + static_cast<size_t>(index) * stride, stride,
                                "the thread-local storage of a simulated thread");
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstack(&attributes, stack, size & ~size_t{4095});
  Parking parking = {};
  pthread_t thread;
  if (real::pthread_create(&thread, &attributes, Park, &parking) != 0) {
    Die("cannot start a thread (limit reached?)");
  }
  pthread_attr_destroy(&attributes);
  // Acquire: pairs with the store in Park().
  while (parking.ready.load(std::memory_order_acquire) == 0) {
    RawSyscall(SYS_futex, reinterpret_cast<uint64_t>(&parking.ready), FUTEX_WAIT_PRIVATE, 0);
  }
  // All simulated threads are one to the kernel. By this number the C library knows who has its own
  // recursive locks, such as the dynamic linker's, in which constructors run: two simulated threads
  // would wait for each other there, and for one that the execution has left behind for ever.
  if (pid_t* const noted = NotedTid(parking.storage.pthread, parking.tid))
    *noted = static_cast<pid_t>(RawSyscall(SYS_gettid));
  return parking.storage;
}

std::vector<DataRange> VariablesIn(const ThreadStorage& storage) {
  std::vector<DataRange> ranges;
  for (const TlsImage& image : tls_images) {
    char* const copy = CopyIn(storage, image);
    ranges.push_back({copy, copy + image.size});
  }
  return ranges;
}

bool FindVariable(const ThreadStorage& storage, const void* address, const void*& module,
                  size_t& place) {
  for (const TlsImage& image : tls_images) {
    const size_t offset = static_cast<const char*>(address) - CopyIn(storage, image);
    if (offset >= image.size) continue;
    module = image.initial;
    place = offset;
    return true;
  }
  return false;
}

void KeepThreadStorage(const ThreadStorage& storage) {
  kept_fs_base = storage.fs_base;
  kept_copies.clear();
  for (const TlsImage& image : tls_images) {
    const char* const copy = CopyIn(storage, image);
    kept_copies.emplace_back(copy, copy + image.size);
  }
}

void ResetThreadStorage(const ThreadStorage& storage) {
  *storage.error = 0;
  for (size_t i = 0; i < tls_images.size(); ++i) {
    const TlsImage& image = tls_images[i];
    char* const copy = CopyIn(storage, image);
    if (storage.fs_base == kept_fs_base) {
      std::memcpy(copy, kept_copies[i].data(), image.size);
      continue;
    }
    std::memcpy(copy, image.initial, image.initialised);
    std::memset(copy + image.initialised, 0, image.size - image.initialised);
  }
}

bool ReserveNoStorage() {
  constexpr size_t kLargestImage = kNoStorageReach / 2;
  // Under Valgrind a handler cannot change it: it is put back when that returns.
  if (RunsInValgrind() || tls_size > kLargestImage) return false;
  void* const wanted = reinterpret_cast<void*>(kNoStorage - kNoStorageReach);
  return mmap(wanted, 2 * kNoStorageReach, PROT_NONE,
              MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0) == wanted;
}

void WriteFsBaseBySystemCall(uint64_t fs_base) { RawSyscall(SYS_arch_prctl, ARCH_SET_FS, fs_base); }

uint64_t ReadFsBaseInHandler() {
  if (has_fsgsbase) return ReadFsBase();
  uint64_t fs_base = 0;
  RawSyscall(SYS_arch_prctl, ARCH_GET_FS, reinterpret_cast<uint64_t>(&fs_base));
  return fs_base;
}

}  // namespace jacquard::sim
