#!/bin/bash
# What comes before a program's main, and after it: constructors and destructors of globals, and the functions of
# atexit.
#   lifetime_test.sh INSTALLER RUNFILES...
set -u
. "$PWD/tests/install/checks.sh"

begin "${@:2}"
unset TEST_TARGET
export JACQUARD_OPTIONS='executions=2000 status=report'

# option OPTION COMMAND...: the command with one more option.
option() { JACQUARD_OPTIONS="$JACQUARD_OPTIONS $1" "${@:2}"; }

# A worker that is joined by a destructor. STOPS says how it is stopped, where it is, and who starts it.
cat >worker.cc <<'END'
#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <thread>
class Worker {
 public:
  ~Worker() {
    {
#ifndef STOPS_UNLOCKED
      std::lock_guard lock(mutex_);
#endif
      stop_ = true;
    }
#ifndef STOPS_UNTOLD
    changed_.notify_one();
#endif
#ifndef STOPS_NEVER
    if (thread_.joinable()) thread_.join();
#endif
  }
  void Start() { thread_ = std::thread(&Worker::Run, this); }
 protected:
  void Run() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return stop_; });
  }
  std::mutex mutex_;
  std::condition_variable changed_;
  bool stop_ = false;
  std::thread thread_;
};
#ifdef IS_LOCAL
static Worker& GetWorker() { static Worker worker; return worker; }
#else
#ifdef STARTS_BEFORE_MAIN
struct Early : Worker { Early() { Start(); } } worker;
#else
Worker worker;
#endif
static Worker& GetWorker() { return worker; }
#endif
int main() {
  if (std::getenv("JACQUARD_CONSTRUCTORS") != nullptr) std::exit(5); // it is not the program's
#ifndef STARTS_BEFORE_MAIN
  GetWorker().Start();
#endif
}
END
for kind in '' -DIS_LOCAL -DSTARTS_BEFORE_MAIN; do
  program=worker$kind
  ends 0 "$program" jacquard-c++ -g $kind -o "$program" worker.cc
  ends 0 "$program is right" "./$program"
  says "$program is right" '2000 executions'
  for wrong in UNLOCKED UNTOLD NEVER; do
    ends 0 "$program, $wrong" jacquard-c++ -g $kind -DSTOPS_$wrong -o "$program$wrong" worker.cc
    ends 1 "$program that stops $wrong" "./$program$wrong"
    case $wrong in
      UNLOCKED) says "$program, $wrong" '^race: .* reads 1 byte of .*, and nothing orders this after' ;;
      UNTOLD) says "$program, $wrong" '^deadlock: lost wake-up: ' ;;
      NEVER) says "$program, $wrong" '^abort: std::terminate' ;;
    esac
    says "$program, $wrong" '# the program ends'
    replay=$(sed -n 's/^Replay: *//p' "$log")
    ends 1 "the replay of $program, $wrong" bash -c "$replay"
    says "the replay of $program, $wrong" '^jacquard: 1 executions'
  done
  # What is not looked at is not found.
  ends 0 "$program, cut short" option exit_functions=skip "./${program}UNTOLD"
done
ends 0 'a worker of main, with constructors that run once' option constructors=once ./workerUNTOLD
ends 2 'an early worker, so' option constructors=once ./worker-DSTARTS_BEFORE_MAIN
says 'an early worker, so' 'unsupported: the constructor of a global has started a thread'
# A token alone is enough, as it says which executions it is of.
ends 1 'an early worker' ./worker-DSTARTS_BEFORE_MAINUNTOLD
token=$(sed -n 's/.*JACQUARD_REPLAY=\(J1[^ ]*\).*/\1/p' "$log")
ends 1 'its token' env JACQUARD_OPTIONS="replay=$token" ./worker-DSTARTS_BEFORE_MAINUNTOLD
says 'its token' '^deadlock: lost wake-up: '
ends 1 'several processes' option jobs=2 ./worker-DSTARTS_BEFORE_MAINUNTOLD
ends 0 'several processes of a right one' option jobs=2 ./worker-DSTARTS_BEFORE_MAIN
ends 1 'several processes that find out' option jobs=2 ./workerUNTOLD
ends 0 'and one that is right' option jobs=2 ./worker

# What is registered in another way.
cat >registers.c <<'END'
#define _GNU_SOURCE
#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
static int called;
static void First(void) { assert(called++ == 0); }
static void Second(int status, void *count) { assert(status == 3 && count == &called && called++ == 1); }
static void Third(void) { assert(called++ == 2 || getenv("MISTAKEN") == NULL); }
static void *Count(void *number) { return ++*(int *)number, NULL; }
int main(int argc, char **argv) {
  int number = 0;
  pthread_t thread;
  pthread_create(&thread, NULL, Count, &number);
  pthread_join(thread, NULL);
  if (argc == 1) {
    atexit(Third);
    on_exit(Second, &called);
    atexit(First);
    exit(3);
  }
  at_quick_exit(Third);
  atexit(abort);
  on_exit(Second, NULL);
  quick_exit(0);
}
END
ends 0 'what registers' jacquard-cc -o registers registers.c
registers() { JACQUARD_OPTIONS=executions=100 "$@"; }
ends 0 'what it has registered' registers ./registers
ends 0 'all of it' registers env MISTAKEN=1 ./registers
ends 0 'what it has for a quick exit' registers ./registers quick
ends 1 'which is called' registers env MISTAKEN=1 ./registers quick
says 'which is called' '^abort: assert.called.. == 2'
ends 0 'unless it is not to be' registers env MISTAKEN=1 JACQUARD_OPTIONS='executions=100 exit_functions=skip' ./registers quick

# Where it matters to no thread, what destructors undo outside of the process must be there the next time.
cat >folder.cc <<'END'
#include <cassert>
#include <filesystem>
#include <string>
#include <thread>
#include <unistd.h>
struct Folder {
  std::filesystem::path path = std::filesystem::temp_directory_path() / ("folder" + std::to_string(getpid()));
  Folder() { std::filesystem::create_directory(path); }
  ~Folder() { std::filesystem::remove_all(path); }
} folder;
int main() {
  std::thread([] { assert(exists(folder.path)); }).join();
}
END
ends 0 'a folder' jacquard-c++ -std=c++20 -o folder folder.cc
ends 0 'it stays' ./folder

# What a constructor has made outside, and what main has done to its arguments, is not in the way of a second beginning.
cat >single.cc <<'END'
#include <cassert>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <thread>
#include <unistd.h>
static int *started;
static struct Single {
  Single() { assert((file = open("single", O_CREAT | O_EXCL | O_WRONLY, 0600)) >= 0); }
  ~Single() {
    unlink("single");
    if (*started != 1) std::abort(); // which it is only behind main
  }
  int file;
} single;
int main(int argc, char **argv) {
  assert(argc == 2 && std::strcmp(argv[1], "secret") == 0);
  std::memset(argv[1], '*', 6);
  argv[1] = nullptr;
  static int one = 1;
  started = &one;
  std::thread([] {}).detach();
}
END
ends 0 'a single one' jacquard-c++ -o single_one single.cc
ends 0 'which begins again' ./single_one secret
says 'which begins again' '2000 executions'

# Executed again, a program finds what it found the first time.
cat >begins.cc <<'END'
#include <arpa/inet.h>
#include <cassert>
#include <csignal>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
static char line[4];
struct Begins {
  std::thread thread;
  Begins() {
    sigset_t set, old;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &set, &old);
    assert(!sigismember(&old, SIGUSR1));
    assert(signal(SIGPIPE, SIG_IGN) == SIG_DFL);
    assert(chdir("inner") == 0);
    assert(read(STDIN_FILENO, line, 4) == 4);
    int file = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    static in_port_t port = 0;
    address.sin_port = port;
    assert(bind(file, (sockaddr *)&address, sizeof(address)) == 0);
    assert(dup(file) < 20);
    thread = std::thread([] {});
  }
  ~Begins() { thread.join(); }
} begins;
int main() {}
END
mkdir inner
echo one >input
ends 0 'what constructors change' jacquard-c++ -o begins begins.cc
ends 0 'it is as it was' option executions=1 ./begins <input

# No thread of a constructor's has run before: time passes by itself for one that sleeps, and it would end the process.
cat >watchdog.cc <<'END'
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <thread>
static std::atomic<int> looks{0};
static struct Watchdog {
  Watchdog() {
    std::thread([] {
      for (int last = -1; last != looks; std::this_thread::sleep_for(std::chrono::seconds(10))) last = looks;
      std::_Exit(42);
    }).detach();
    volatile int time = 0;
    while (time < 100'000'000) time = time + 1;
  }
} watchdog;
int main() {
  for (int i = 0; i < 3; ++i) ++looks;
}
END
ends 0 'a watchdog' jacquard-c++ -o watchdog watchdog.cc
ends 0 'it watches' env JACQUARD_OPTIONS=executions=2 ./watchdog

# Each execution constructs if it is asked for that; the token remembers.
cat >counts.cc <<'END'
#include <cassert>
#include <cstdlib>
#include <iostream>
#include <map>
#include <string>
#include <thread>
static const bool asked = std::getenv("JACQUARD_CONSTRUCTORS") != nullptr;
static std::map<std::string, int> counts{{"a", 1}};
struct Says {
  Says() { std::cout << "constructed" << std::endl; }
  ~Says() { std::cout << "destructed" << std::endl; }
} says;
int main(int argc, char**) {
  assert(!asked && std::getenv("JACQUARD_CONSTRUCTORS") == nullptr);
  std::thread([] { ++counts["a"]; }).join();
  assert(counts["a"] == 2);
  assert(argc == 1);
}
END
ends 0 'a global map' jacquard-c++ -std=c++17 -o counts counts.cc
ends 0 'it is constructed once' option executions=10 ./counts
[[ $(grep -c '^constructed$' "$log") -eq 1 && $(grep -c '^destructed$' "$log") -eq 0 ]] || fail 'not once'
ends 0 'it is constructed each time' option 'executions=10 constructors=each' ./counts
[[ $(grep -c '^constructed$' "$log") -eq 10 && $(grep -c '^destructed$' "$log") -eq 10 ]] || fail 'not each time'
ends 1 'an argument' option 'constructors=each' ./counts x
token=$(sed -n 's/.*JACQUARD_REPLAY=\(J1[^ ]*\).*/\1/p' "$log")
ends 1 'constructed again' env JACQUARD_OPTIONS="replay=$token" ./counts x
[[ $(grep -c '^constructed$' "$log") -gt 1 ]] || fail 'the token has forgotten it'
token=$(option 'executions=1 constructors=once' ./counts x 2>&1 | sed -n 's/.*JACQUARD_REPLAY=\(J1[^ ]*\).*/\1/p')
ends 2 'a token of the other kind' env JACQUARD_OPTIONS='constructors=each' JACQUARD_REPLAY="$token" ./counts x
says 'a token of the other kind' 'the replay token is of executions for which constructors have run once'
ends 0 'the last word' option 'executions=10 constructors=each constructors=once' ./counts
[[ $(grep -c '^constructed$' "$log") -eq 1 ]] || fail 'the last word'
ends 2 'another word' option constructors=twice ./counts
says 'another word' 'constructors'

# So the constructor may do something wrong.
cat >fails.cc <<'END'
#include <cstdlib>
struct Fails { Fails() { std::abort(); } } fails;
int main() {}
END
ends 0 'a constructor that fails' jacquard-c++ -g -o fails fails.cc
ends 1 'it fails' option constructors=each ./fails
says 'it fails' '^ +Fails::Fails +fails\.cc:2'

# A program without threads ends as it does by itself: each of these is called once.
ends 0 'without threads' jacquard-c++ -x c++ -o alone - <<'END'
#include <cstdio>
struct Global { ~Global() { std::puts("global"); } } global;
int main() { static Global one; std::puts("main"); }
END
ends 0 'it is alone' env -u JACQUARD_OPTIONS ./alone
[[ $(grep -v '^jacquard' "$log" | tr '\n' ' ') == 'main global global ' ]] || fail 'alone'

# C: the order, whoever ends the program, and one that ends it again on the way.
cat >order.c <<'END'
#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>
static int order;
static pthread_t thread;
static void Early(void) { assert(order++ == 2); }
static void Last(void) { assert(order++ == 1); exit(0); }
static void Late(void) { assert(order++ == 0); pthread_join(thread, NULL); atexit(Last); }
static void *Run(void *argument) {
#ifdef ENDS_IN_THREAD
  (void)argument;
  pthread_detach(pthread_self());
  exit(0);
#endif
  return argument;
}
__attribute__((constructor)) static void Begin(void) { atexit(Early); }
__attribute__((destructor)) static void End(void) {
#ifdef IS_WRONG
  assert(order++ != 3);
#else
  assert(order++ == 3);
#endif
}
int main(void) {
#ifndef ENDS_IN_THREAD
  atexit(Late);
#else
  atexit(Last);
  order = 1;
#endif
  pthread_create(&thread, NULL, Run, NULL);
#ifdef ENDS_AT_ONCE
  _exit(0);
#elif defined(ENDS_BY_EXIT)
  exit(0);
#elif defined(ENDS_WITH_THREADS)
  pthread_exit(NULL);
#elif defined(ENDS_IN_THREAD)
  pause();
#endif
}
END
for how in '' -DENDS_BY_EXIT -DENDS_WITH_THREADS -DENDS_IN_THREAD; do
  ends 0 "compiled $how" jacquard-cc $how -o order order.c
  ends 0 "order $how" ./order
  says "order $how" '2000 executions'
  ends 0 "compiled wrong $how" jacquard-cc $how -DIS_WRONG -o order order.c
  ends 1 "wrong order $how" ./order
  says "wrong order $how" '^abort: assert\(order\+\+ != 3\)'
done
ends 0 'compiled to end at once' jacquard-cc -DENDS_AT_ONCE -DIS_WRONG -o order order.c
ends 0 'at once' ./order

# Whichever is the last, it comes after all that others have done.
cat >last.cc <<'END'
#include <pthread.h>
#include <thread>
#include <vector>
static std::vector<int> values{1, 2, 3};
static struct Last { ~Last() { values.push_back(4); } } last;
int main() {
  std::thread([] { std::this_thread::yield(); values.push_back(9); }).detach();
  std::this_thread::yield();
  pthread_exit(nullptr);
}
END
ends 0 'a last one' jacquard-c++ -o last last.cc
ends 0 'which has nobody beside it' ./last

# A thread that nobody joins may still use what is destroyed.
cat >detached.cc <<'END'
#include <map>
#include <mutex>
#include <thread>
static std::mutex mutex;
static std::map<int, int> table;
static void Add(int key) { std::lock_guard lock(mutex); ++table[key]; }
int main() {
  std::thread thread(Add, 1);
#ifdef IS_DETACHED
  thread.detach();
#else
  thread.join();
#endif
  Add(2);
}
END
ends 0 'a joined one' jacquard-c++ -o joined detached.cc
ends 0 'which is right' ./joined
ends 0 'a detached one' jacquard-c++ -DIS_DETACHED -o detached detached.cc
ends 1 'which is not' ./detached
says 'which is not' '^(race|heap error): '
ends 0 'nobody looks' option exit_functions=skip ./detached

# It may still be about to notify a condition variable, but not wait for one: there the C library waits, too.
cat >notifies.cc <<'END'
#include <cassert>
#include <condition_variable>
#include <mutex>
#include <thread>
static std::mutex mutex;
static std::condition_variable changed;
static bool ready = false;
static int result = 0;
static struct Last { ~Last() { assert(ready); } } last;
static thread_local struct Local {
  int value = 0;
  ~Local() { result = value; }
} local;
int main() {
  std::thread([] {
    local.value = 4;
    std::unique_lock lock(mutex);
#ifdef WAITS
    changed.wait(lock, [] { return ready; });
#else
    ready = true;
    std::notify_all_at_thread_exit(changed, std::move(lock));
#endif
  }).detach();
#ifdef WAITS
  std::lock_guard lock(mutex);
  ready = true;
#else
  std::unique_lock lock(mutex);
  changed.wait(lock, [] { return ready; });
  assert(result == 4);
#endif
}
END
ends 0 'one that notifies' jacquard-c++ -o notifies notifies.cc
ends 0 'which is right, too' ./notifies
ends 0 'one that waits' jacquard-c++ -DWAITS -o waits notifies.cc
ends 1 'for a global that goes' ./waits
says 'for a global that goes' '^misuse: condition variable destroyed while it is waited for'

# So it may where a lock orders the two. (What a constructor has allocated before main, nobody watches.)
cat >late.cc <<'END'
#include <mutex>
#include <thread>
static std::mutex mutex;
static struct Counter {
  ~Counter() { std::lock_guard lock(mutex); delete count; }
  int* count = new int(0);
} counter;
int main() {
  std::thread([] { std::lock_guard lock(mutex); ++*counter.count; }).detach();
}
END
ends 0 'a late one' jacquard-c++ -o late late.cc
ends 1 'after the end of the counter' option constructors=each ./late
says 'after the end of the counter' '^heap error: .*use after free'

# The threads of a shared library's constructors are real ones.
cat >library.cc <<'END'
#include <thread>
struct Early {
  ~Early() { thread.join(); }
  std::thread thread{[] {}};
} early;
END
ends 0 'a library' jacquard-c++ -shared -fPIC -o libearly.so library.cc
echo 'int main() {}' >main.cc
ends 0 'its user' jacquard-c++ -o user main.cc -Wl,--no-as-needed ./libearly.so
ends 2 'a thread before main' ./user
says 'a thread before main' 'unsupported: the constructor of a global in a shared library has started a thread'

finish
