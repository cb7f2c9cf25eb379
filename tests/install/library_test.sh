#!/bin/bash
# Shared libraries that are built with the wrappers are part of the program: where they allocate, what
# they keep, and what goes wrong in them.
#   library_test.sh INSTALLER RUNFILES...
set -u
. "$PWD/tests/install/checks.sh"

begin "${@:2}"

cat >library.cc <<'END'
#include <pthread.h>
#include <cassert>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>
int shared_count = 0;
char large[3 << 20];  // more than is compared with a copy
extern "C" {
void Count() { ++shared_count; }
// Blocks that the library's variables keep.
int* Kept() {
  static int* kept;
  if (kept == nullptr) kept = static_cast<int*>(std::calloc(1, sizeof(int)));
  return kept;
}
int* KeptFarAway() {
  int** const kept = reinterpret_cast<int**>(large + (2 << 20));
  if (*kept == nullptr) *kept = new int(0);
  return *kept;
}
std::size_t Texts() {
  static std::vector<std::string> texts;
  texts.emplace_back("a text that does not fit into the object");
  return texts.size();
}
void UseKey() {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  static pthread_key_t key;
  pthread_once(&once, [] { assert(pthread_key_create(&key, std::free) == 0); });
  pthread_setspecific(key, std::malloc(1));
}
int* Make() { return new int(3); }
void Destroy(int* object) { delete object; }
void DestroyWrongly(int* object) { std::free(object); }
void WriteAt(int index) {
  volatile char* const block = static_cast<char*>(std::malloc(8));
  block[index] = 1;
  std::free(const_cast<char*>(block));
}
std::size_t Measure(const char* text) { return std::strlen(text); }
}
END
cat >program.cc <<'END'
#include <cassert>
#include <cstring>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
extern "C" {
void Count();
int* Kept();
int* KeptFarAway();
std::size_t Texts();
void UseKey();
int* Make();
void Destroy(int* object);
void DestroyWrongly(int* object);
void WriteAt(int index);
std::size_t Measure(const char* text);
}
std::mutex mutex;
char text[8] = "text";
void Locked(const std::function<void()>& f) {
  std::lock_guard<std::mutex> guard(mutex);
  f();
}
const std::map<std::string, std::function<void()>> ways = {
    {"count-locked", [] { Locked(Count); }},
    {"keep", [] { Locked([] { assert(++*Kept() <= 2); }); }},
    {"keep-far-away", [] { Locked([] { assert(++*KeptFarAway() <= 2); }); }},
    {"texts", [] { Locked([] { assert(Texts() <= 2); }); }},
    {"key", UseKey},
    {"make-and-destroy", [] { Destroy(Make()); }},
    {"make-and-delete", [] { delete Make(); }},
    {"write-within", [] { WriteAt(7); }},
    {"measure", [] { Measure(text); }},
    {"count", Count},
    {"use-destroyed", [] { int* object = Make(); Destroy(object); *object = 1; }},
    {"destroy-twice", [] { int* object = Make(); Destroy(object); Destroy(object); }},
    {"destroy-wrongly", [] { DestroyWrongly(Make()); }},
    {"write-behind", [] { WriteAt(8); }},
    {"lose", [] { Make(); }},
    {"measure-and-write", [] { Measure(text); text[0] = 'n'; }},
};
int main(int /*argc*/, char** argv) {
  std::mutex step;
  std::thread a([&] { step.lock(); step.unlock(); ways.at(argv[1])(); });
  std::thread b([&] { step.lock(); step.unlock(); ways.at(argv[1])(); });
  a.join();
  b.join();
}
END
export JACQUARD_OPTIONS='executions=2000 seed=1'
for options in '-O0' '-O2 -fno-plt'; do
  # shellcheck disable=SC2086
  ends 0 "a library with $options" jacquard-c++ -std=c++17 $options -shared -fPIC -o liblibrary.so library.cc
  ends 0 'a program with it' jacquard-c++ -std=c++17 -o program program.cc ./liblibrary.so
  for way in count-locked keep keep-far-away texts key make-and-destroy make-and-delete write-within measure; do
    ends 0 "$way ($options)" ./program $way
  done
  while read -r way verdict; do
    ends 1 "$way ($options)" ./program "$way"
    says "$way ($options)" "^$verdict"
  done <<'END'
count race:
use-destroyed heap error: use after free
destroy-twice heap error: double free
destroy-wrongly heap error: mismatched free
write-behind heap error: heap overflow
lose leak: memory leak
measure-and-write race:
END
done

# Of objects, as build systems link: without a word.
ends 0 'an object' jacquard-c++ -std=c++17 -O2 -fPIC -c library.cc
ends 0 'a library of objects' jacquard-c++ -shared -fPIC -Werror -o liblibrary.so library.o
[[ ! -s $log ]] || fail 'it says something'
ends 0 'it runs' ./program texts

# A lock in a library that is broken: each search tells the same of it, wherever the lock was allocated.
cat >lock.cc <<'END'
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <atomic>
#include <cstdlib>
#include <new>
struct Lock {
  std::atomic<int> taken{0}, waiting{0};
  char rest[300];
};
extern "C" {
Lock* NewLock() {
  char* const block = static_cast<char*>(std::malloc(sizeof(Lock) + 128));
  char* const place =
      reinterpret_cast<char*>((reinterpret_cast<std::size_t>(block) + 128) & ~std::size_t{127});
  reinterpret_cast<void**>(place)[-1] = block;
  return new (place) Lock;
}
void FreeLock(Lock* lock) { std::free(reinterpret_cast<void**>(lock)[-1]); }
void Acquire(Lock* lock) {
  while (lock->taken.exchange(1) != 0) {
    ++lock->waiting;
    while (lock->taken.load(std::memory_order_relaxed) != 0)
      syscall(SYS_futex, &lock->taken, FUTEX_WAIT_PRIVATE, 1, nullptr);
    --lock->waiting;
  }
}
void Release(Lock* lock) {
  lock->taken.exchange(0);
  if (lock->waiting.load(std::memory_order_relaxed) != 0)  // may be an old value
    syscall(SYS_futex, &lock->taken, FUTEX_WAKE_PRIVATE, 1);
}
}
END
cat >uses_lock.cc <<'END'
#include <thread>
struct Lock;
extern "C" {
Lock* NewLock();
void FreeLock(Lock* lock);
void Acquire(Lock* lock);
void Release(Lock* lock);
}
int main() {
  Lock* const lock = NewLock();
  Lock* others[20];
  for (Lock*& other : others) other = NewLock();
  int count = 0;
  auto run = [&] {
    for (int i = 0; i < 2; ++i) {
      Acquire(lock);
      ++count;
      Release(lock);
    }
  };
  std::thread thread(run);
  run();
  thread.join();
  FreeLock(lock);
  for (Lock* const other : others) FreeLock(other);
}
END
ends 0 'a lock in a library' jacquard-c++ -O1 -shared -fPIC -o liblock.so lock.cc
ends 0 'a program that uses it' jacquard-c++ -O1 -o uses_lock uses_lock.cc ./liblock.so
for seed in 1 2 3 4 5 6 7 8 9 10 11 12; do
  export JACQUARD_OPTIONS="executions=5000 seed=$seed"
  ends 1 "with seed $seed" ./uses_lock
  says "with seed $seed" '^deadlock: lost wake-up'
done

finish
