// Files that threads map as shared memory, each for itself, as processes do.
#include <errno.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <string>
#include <thread>

#include "sim/runtime.h"
#include "tests/sim/searches.h"

namespace jacquard {
namespace {

// What they share.
struct SharedByProcesses {
  pthread_mutex_t mutex;
  std::atomic<bool> is_ready;
  int count;
};

SharedByProcesses* MapShared(int file) {
  void* const memory =
      mmap(nullptr, sizeof(SharedByProcesses), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  Check(memory != MAP_FAILED, "mapped");
  return static_cast<SharedByProcesses*>(memory);
}

void CountInSharedMemory(int file, bool locks) {
  SharedByProcesses* const memory = MapShared(file);
  while (!memory->is_ready.load(std::memory_order_acquire)) sched_yield();
  if (locks) pthread_mutex_lock(&memory->mutex);
  ++memory->count;
  if (locks) pthread_mutex_unlock(&memory->mutex);
  munmap(memory, sizeof(*memory));
}

void ShareMemory(bool locks) {
  const int file = memfd_create("shared", 0);
  Check(ftruncate(file, sizeof(SharedByProcesses)) == 0, "made larger");
  SharedByProcesses* const memory = MapShared(file);
  std::thread a(CountInSharedMemory, file, locks);
  std::thread b(CountInSharedMemory, file, locks);
  pthread_mutexattr_t attributes;
  pthread_mutexattr_init(&attributes);
  pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
  pthread_mutex_init(&memory->mutex, &attributes);
  memory->is_ready.store(true, std::memory_order_release);
  a.join();
  b.join();
  Check(memory->count == 2, "both have counted");
  munmap(memory, sizeof(*memory));
  close(file);
}

TEST(SharedMemory, IsTheSameForWhoeverMapsIt) {
  ExpectNoRace([] { ShareMemory(/*locks=*/true); });
}

TEST(SharedMemory, Races) {
  ExpectRace([] { ShareMemory(/*locks=*/false); }, "plain read and plain write");
}

// Each maps it for a moment, and nobody waits for anybody: whoever unmaps it last comes behind all.
TEST(SharedMemory, IsThereForWhoeverHasMappedIt) {
  ExpectNoRace([] {
    const int file = memfd_create("shared", 0);
    Check(ftruncate(file, sizeof(SharedByProcesses)) == 0, "made larger");
    const auto count = [file] {
      SharedByProcesses* const memory = MapShared(file);
      pthread_mutex_lock(&memory->mutex);  // which is all zero
      ++memory->count;
      pthread_mutex_unlock(&memory->mutex);
      TakeStep();
      munmap(memory, 4096);  // all of the page
    };
    std::thread a(count);
    std::thread b(count);
    a.join();
    b.join();
    close(file);
  });
}

// One user's memory is not taken away by what another one does to its own.
TEST(SharedMemory, KeepsItsRightsForOthers) {
  ExpectPass(Walk(
      [] {
        TakeStep();
        const int file = memfd_create("shared", 0);
        Check(ftruncate(file, 8192) == 0, "made larger");
        const auto map = [file] {
          return static_cast<char*>(
              mmap(nullptr, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0));
        };
        char* const mine = map();
        char* const yours = map();
        mprotect(yours, 8192, PROT_READ);
        munmap(yours + 4096, 4096);
        mine[0] = mine[8191] = 1;
        munmap(yours, 8192);
        mine[0] = 2;
        mprotect(mine, 8192, PROT_READ);  // by its only user
        char* const another = map();
        Check(another != mine, "what may not be written to is not given out");
        another[0] = 3;
        close(file);
      },
      5));
}

TEST(SharedMemory, IsNotMappedWhereTheFileMayNotBeWrittenTo) {
  ExpectPass(Walk(
      [] {
        TakeStep();
        const int file = memfd_create("shared", 0);
        Check(ftruncate(file, 4096) == 0, "made larger");
        const int to_read = open(("/proc/self/fd/" + std::to_string(file)).c_str(), O_RDONLY);
        constexpr int kBoth = PROT_READ | PROT_WRITE;
        Check(mmap(nullptr, 4096, kBoth, MAP_SHARED, file, 0) != MAP_FAILED, "mapped");
        Check(mmap(nullptr, 4096, kBoth, MAP_SHARED, to_read, 0) == MAP_FAILED && errno == EACCES,
              "refused");
        close(file);
        close(to_read);
      },
      5));
}

// Who maps /dev/zero gets memory of his own each time.
TEST(SharedMemory, IsOfFilesOnly) {
  ExpectPass(Walk(
      [] {
        TakeStep();
        const int file = open("/dev/zero", O_RDWR);
        const auto map = [file] {
          return static_cast<char*>(
              mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0));
        };
        char* const one = map();
        char* const other = map();
        one[0] = 1;
        Check(other != one && other[0] == 0, "two");
        close(file);
      },
      5));
}

TEST(SharedMemory, IsMappedAnewInTheNextExecution) {
  const int file = memfd_create("shared", 0);
  ASSERT_EQ(ftruncate(file, sizeof(SharedByProcesses)), 0);
  ExpectPass(Walk(
      [file] {
        TakeStep();
        MapShared(file)->is_ready.store(true);  // and leaves it mapped
      },
      5));
  close(file);
}

// Other parts and other rights are mapped as they are asked for; who unmaps takes away its own
// only.
TEST(SharedMemory, LiesElsewhereWhereItIsNotTheSame) {
  ExpectPass(Walk(
      [] {
        TakeStep();
        const int file = memfd_create("shared", 0);
        Check(ftruncate(file, 2 * 4096) == 0, "made larger");
        const auto map = [file](size_t size, int protection, off_t offset, int flags) {
          return static_cast<char*>(mmap(nullptr, size, protection, flags, file, offset));
        };
        constexpr int kBoth = PROT_READ | PROT_WRITE;
        char* const whole = map(8192, kBoth, 0, MAP_SHARED);
        char* const again = map(8192, kBoth, 0, MAP_SHARED);
        Check(again == whole, "the same");
        for (char* const other :
             {map(4096, kBoth, 0, MAP_SHARED), map(4096, kBoth, 4096, MAP_SHARED),
              map(8192, PROT_READ, 0, MAP_SHARED), map(8192, kBoth, 0, MAP_PRIVATE)}) {
          Check(other != MAP_FAILED && (other < whole || other >= whole + 8192), "another one");
        }
        const int other_file = memfd_create("other", 0);
        Check(ftruncate(other_file, 8192) == 0, "made larger");
        Check(mmap(nullptr, 8192, kBoth, MAP_SHARED, other_file, 0) != whole, "of another file");
        munmap(again, 8192);
        whole[8191] = 1;
        munmap(whole, 8192);
        char* const anew = map(8192, kBoth, 0, MAP_SHARED);
        Check(anew[8191] == 1, "mapped anew");
        close(file);
        close(other_file);
      },
      5));
}

}  // namespace
}  // namespace jacquard
