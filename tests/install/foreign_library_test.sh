#!/bin/bash
# Shared libraries without hooks, as they come with a system: what they keep stays from one execution
# to the next, wherever a program has them allocate it; and those with threads of their own do without.
#   foreign_library_test.sh INSTALLER RUNFILES...
set -u
. "$PWD/tests/install/checks.sh"

begin "${@:2}"
export JACQUARD_OPTIONS='executions=200 quiet=1'

# It keeps the first text of the process, and calls back.
cat >keeper.cc <<'END'
#include <string>
#include <vector>
static const std::string name = std::string("a library that has a long ") + "name";
extern "C" const char* Name() { return name.c_str(); }
extern "C" const char* Keep(const char* text) {
  static std::string kept;
  if (kept.empty()) kept.append(text);
  return kept.c_str();
}
extern "C" int CountOfCalls() {
  static std::vector<std::string> calls;
  calls.emplace_back("a text that does not fit into the string itself");
  return static_cast<int>(calls.size());
}
extern "C" void CallBack(void (*function)(std::string&)) {
  std::string text;
  function(text);
}
END
# With the same functions of the C++ library as templates of its own, which serve the keeper as well.
cat >keeps.cc <<'END'
#include <dlfcn.h>
#include <cassert>
#include <locale>
#include <string>
#include <thread>
#include <vector>
int main(int argc, char** argv) {
  std::thread([] { std::locale::global(std::locale(std::locale(), "C.UTF-8", std::locale::ctype)); }).join();
  void* const library = dlopen(argv[1], RTLD_NOW);
  assert(argc > 1 && library != nullptr);
  const auto keep = reinterpret_cast<const char* (*)(const char*)>(dlsym(library, "Keep"));
  const auto name = reinterpret_cast<const char* (*)()>(dlsym(library, "Name"));
  const auto count = reinterpret_cast<int (*)()>(dlsym(library, "CountOfCalls"));
  std::vector<std::string> texts;
  for (int i = 0; i < 10; ++i) texts.emplace_back("longer than ").append("what a string has room for");
  for (const std::string& text : texts) assert(keep(text.c_str()) == text);
  assert(name() == std::string("a library that has a long name"));
  for (int i = 0; i < 10; ++i) assert(count() >= i + 1);
}
END
cat >forgets.cc <<'END'
#include <string>
#include <thread>
extern "C" void CallBack(void (*function)(std::string&));
char* volatile lost;
int main() {
  std::thread([] {
    CallBack([](std::string& text) {
      text.append("what a string has no room for in itself");
      lost = new char[10];
      lost = nullptr;
    });
  }).join();
}
END
for form in '-std=c++17 -O0' '-std=c++17 -O2' '-std=c++20 -O0' '-std=c++20 -O2'; do
  # shellcheck disable=SC2086  # options
  ends 0 "a library ($form)" "$compiler" $form -shared -fPIC -o libkeeper.so keeper.cc
  for optimisation in -O0 -O1; do
    how="($form and $optimisation)"
    ends 0 "a program that opens it $how" jacquard-c++ -std=c++20 "$optimisation" -o opens keeps.cc
    ends 0 "its run $how" ./opens ./libkeeper.so
    ends 0 "a program that has it $how" jacquard-c++ -std=c++20 "$optimisation" -Wl,--no-as-needed -o has keeps.cc ./libkeeper.so
    ends 0 "its run $how" ./has ./libkeeper.so
    # What the program allocates when it is called back is its own.
    ends 0 "a program that is called back $how" jacquard-c++ -std=c++20 "$optimisation" -o forgets forgets.cc ./libkeeper.so
    ends 1 "its run $how" ./forgets
    says "its run $how" '^leak: .* 10 bytes'
  done
done

# A library that another one opens when it is first used, and that makes a key for its threads then, for the rest of the
# process. It is large, so that it lies apart from the others.
cat >opened.cc <<'END'
#include <pthread.h>
#include <cstdlib>
static char before[1 << 20];
static pthread_key_t key;
static bool is_made;
static char behind[1 << 20];
extern "C" int* Counter() {
  ++before[5000];
  ++behind[70000];
  if (!is_made) pthread_key_create(&key, std::free);
  is_made = true;
  void* counter = pthread_getspecific(key);
  if (counter != nullptr) return static_cast<int*>(counter);
  counter = std::calloc(1, sizeof(int));
  if (pthread_setspecific(key, counter) != 0) std::abort();
  return static_cast<int*>(counter);
}
END
cat >opener.cc <<'END'
#include <dlfcn.h>
extern "C" int* CounterOfOther() {
  static void* const library = dlopen("./libopened.so", RTLD_NOW);
  return reinterpret_cast<int* (*)()>(dlsym(library, "Counter"))();
}
END
cat >counts.cc <<'END'
#include <cassert>
#include <thread>
extern "C" int* CounterOfOther();
int main() {
  std::thread([] {
    for (int i = 1; i < 3; ++i) assert(++*CounterOfOther() == i);
  }).join();
}
END
ends 0 'a library with a key' "$compiler" -shared -fPIC -o libopened.so opened.cc
ends 0 'a library that opens it' "$compiler" -shared -fPIC -o libopener.so opener.cc
ends 0 'a program that counts by it' jacquard-c++ -o counts counts.cc ./libopener.so
ends 0 'its run' ./counts

# Libraries with threads of their own, told by their names, are to do without. (These are no such libraries.)
cat >pool.cc <<'END'
#include <pthread.h>
#include <sched.h>
#include <cstdlib>
#include <cstring>
static bool IsLimited() {
#ifdef OPENMP
  const char* const limit = std::getenv("OMP_THREAD_LIMIT");
  return limit != nullptr && std::strcmp(limit, "1") == 0;
#else
  cpu_set_t set;
  return sched_getaffinity(0, sizeof(set), &set) == 0 && CPU_COUNT(&set) == 1;
#endif
}
extern "C" void Share(void* (*function)(void*), bool always) {
  if (!always && IsLimited()) {
    function(nullptr);
    return;
  }
  pthread_t thread;
  pthread_create(&thread, nullptr, function, nullptr);
  pthread_join(thread, nullptr);
}
END
cat >shares.cc <<'END'
#include <thread>
extern "C" void Share(void* (*function)(void*), bool always);
int calls;
int main(int argc, char**) {
  std::thread([] {}).join();
  Share([](void* argument) {
    ++calls;
    return argument;
  }, argc > 1);
  return calls != 1;
}
END
JACQUARD_OPTIONS='executions=200 status=report'
for name in other omp tbb; do
  how=-DOPENMP
  [[ $name == omp ]] || how=-UOPENMP
  ends 0 "lib$name" "$compiler" "$how" -shared -fPIC -o "lib$name.so" pool.cc
  ends 0 "a program with lib$name" jacquard-c++ -o "shares_$name" shares.cc "./lib$name.so"
  ends 0 "its run, with lib$name" "./shares_$name"
  if [[ $name == other ]]; then
    ends 0 'its run, with a thread' ./shares_other thread
    continue
  fi
  says "its run, with lib$name" "the threads of lib$name.so cannot be simulated"
  ends 2 "its run, with a thread of lib$name's" "./shares_$name" thread
  says "its run, with a thread of lib$name's" "unsupported: a thread of lib$name.so"
done

# How it orders its uses of a lock and what the program does with its memory cannot be seen.
cat >jobs.c <<'END'
#include <pthread.h>
#include <stdatomic.h>
static atomic_int done;
void Submit(void) { atomic_store(&done, 0); }
void Work(pthread_mutex_t *job) {
  pthread_mutex_lock(job);
  pthread_mutex_unlock(job);
  atomic_store_explicit(&done, 1, memory_order_release);
}
int IsDone(void) { return atomic_load_explicit(&done, memory_order_acquire); }
END
cat >waits.cc <<'END'
#include <pthread.h>
#include <cstring>
#include <thread>
extern "C" {
void Submit();
void Work(pthread_mutex_t* job);
int IsDone();
}
int main() {
  auto* const job = new pthread_mutex_t(PTHREAD_MUTEX_INITIALIZER);
  Submit();
  std::thread worker([job] { Work(job); });
  std::this_thread::yield();
  if (IsDone()) {
    std::memset(job, 0xCA, sizeof(*job));
    delete job;
    worker.join();
    return 0;
  }
  worker.join();
  delete job;
}
END
export JACQUARD_OPTIONS='executions=200 quiet=1'
ends 0 'a library with jobs' "${compiler/++/}" -shared -fPIC -o libjobs.so jobs.c
ends 0 'who waits for its jobs' jacquard-c++ -o waits waits.cc ./libjobs.so
ends 0 'and uses their memory again' ./waits

finish
