#!/bin/bash
# Shared libraries with hooks that a program opens by itself: each execution opens them anew.
#   plugin_test.sh INSTALLER RUNFILES...
set -u
. "$PWD/tests/install/checks.sh"

begin "${@:2}"
export JACQUARD_OPTIONS='executions=1000 quiet=1'

# What the plug-in brings along keeps what it has, as all of that has no hooks.
cat >keeper.cc <<'END'
#include <string>
extern "C" int Keep(const char* text) {
  static std::string kept;
  kept = text;
  static int times = 0;
  return ++times;
}
END
cat >plugin.cc <<'END'
#include <cassert>
#include <cstdio>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>
extern "C" void Register(const char* name, int (*call)(int));
extern "C" int Keep(const char* text);
namespace {
std::mutex mutex;
std::map<std::string, int> calls;
std::vector<std::string> log;
thread_local std::string of_thread;
char* volatile lost;
int unguarded;

int Call(int number) {
  std::lock_guard lock(mutex);
  static int count = [] { return 10; }();
  log.push_back("a text that does not fit into the string itself");
  of_thread += "the thread's own text, which is as long";
  assert(of_thread.size() < 100);
  return ++calls["call"] + ++count - 10 + number;
}

struct Plugin {
  Plugin() {
    Register("plug-in", Call);
    std::printf("kept %d\n", Keep("a text that is kept from one execution to the next"));
  }
  ~Plugin() { Register("gone", nullptr); }
  std::unique_ptr<int> number_ = std::make_unique<int>(3);
} plugin;
}  // namespace
extern "C" void Lose() {
  lost = new char[33];
  lost = nullptr;
}
extern "C" void Race() { ++unguarded; }
END
cat >host.cc <<'END'
#include <dlfcn.h>
#include <cassert>
#include <map>
#include <string>
#include <thread>
std::map<std::string, int (*)(int)> registered;
extern "C" void Register(const char* name, int (*call)(int)) { registered[name] = call; }
int main(int argc, char** argv) {
  const std::string what = argc > 1 ? argv[1] : "";
  assert(registered.empty());
  void* const plugin = dlopen("./libplugin.so", RTLD_NOW);
  assert(plugin != nullptr && registered.size() == 1);
  const auto call = registered["plug-in"];
  const auto other = reinterpret_cast<void (*)()>(dlsym(plugin, what == "loses" ? "Lose" : "Race"));
  int sum = 0;
  std::thread a([&] { sum = call(0); });
  a.join();
  std::thread b([&] {
    sum += call(0);
    if (!what.empty()) other();
  });
  std::thread c([&] {
    if (what == "races") other();
    void* const again = dlopen("./libplugin.so", RTLD_NOW);
    assert(again == plugin);
    dlclose(again);
  });
  b.join();
  c.join();
  assert(sum == 2 + 4 && registered.size() == 1);
  if (what == "calls") call(0);  // main has variables of it, to be destroyed
  if (what == "closes" || what == "calls") {
    dlclose(plugin);
    assert(registered.size() == (what == "calls" ? 1u : 2u));
  }
}
END
ends 0 'what it needs' "$compiler" -shared -fPIC -o libkeeper.so keeper.cc
ends 0 'the plug-in' jacquard-c++ -std=c++20 -shared -fPIC -o libplugin.so plugin.cc -Wl,--no-as-needed ./libkeeper.so
ends 0 'who opens it' jacquard-c++ -std=c++20 -rdynamic -o host host.cc
ends 0 'it begins anew' ./host
JACQUARD_OPTIONS='executions=100' ends 0 'what it has brought along does not' ./host
says 'what it has brought along does not' '^kept 100$'
ends 0 'closed, it is destroyed' ./host closes
ends 0 'but not before what threads have of it' ./host calls
ends 1 'it loses a block' ./host loses
says 'it loses a block' '^leak: .* 33 bytes'
ends 1 'it races' ./host races
says 'it races' '^race: .* of unguarded'

# A program without a second thread runs once, and ends as it would by itself.
cat >says.cc <<'END'
#include <cstdio>
struct Said {
  ~Said() { std::puts("gone"); }
} said;
END
cat >alone.cc <<'END'
#include <dlfcn.h>
int main(int argc, char**) {
  void* const library = dlopen("./libsays.so", RTLD_NOW);
  return argc > 1 ? dlclose(library) : library == nullptr;
}
END
ends 0 'a library that says when it goes' jacquard-c++ -shared -fPIC -o libsays.so says.cc
ends 0 'who opens it, alone' jacquard-c++ -o alone alone.cc
for closes in '' closes; do
  # shellcheck disable=SC2086  # perhaps nothing
  ends 0 "its end $closes" env -u JACQUARD_OPTIONS ./alone $closes
  [[ $(grep -c '^gone$' "$log") -eq 1 ]] || fail "it does not go once: $(cat "$log")"
done

# Its constructors run under a lock of the dynamic linker's. Whoever opens it at the same time waits.
cat >constructor.cc <<'END'
#include <atomic>
#include <cstdlib>
#include <mutex>
std::mutex mutex;
std::atomic<int> opened;
struct Constructed {
  Constructed() {
    std::lock_guard lock(mutex);
    if (++opened != 1) std::abort();
#ifdef ENDLESS
    for (;;) asm volatile("");
#endif
#if BROKEN
    static Constructed* volatile none;
    none->number = 1;
#endif
  }
  int number = 0;
} constructed;
extern "C" int IsConstructed() { return opened; }
END
cat >twice.cc <<'END'
#include <dlfcn.h>
#include <cassert>
#include <thread>
int main() {
  const auto open = [] {
    void* const library = dlopen("./libconstructor.so", RTLD_NOW);
    assert(library != nullptr && reinterpret_cast<int (*)()>(dlsym(library, "IsConstructed"))() == 1);
    dlclose(library);
  };
  std::thread a(open), b(open);
  a.join();
  b.join();
}
END
ends 0 'who opens one twice' jacquard-c++ -std=c++20 -o twice twice.cc
for status in 0 1; do
  ends 0 'a library with a constructor' jacquard-c++ -g "-DBROKEN=$status" -shared -fPIC -o libconstructor.so constructor.cc
  for strategy in random pct; do
    JACQUARD_OPTIONS="executions=2000 strategy=$strategy status=report" ends "$status" "twice at once ($strategy)" ./twice
  done
done
says 'what a constructor does wrong' 'Constructed::Constructed'
# To tell where it computes takes the lock that it has.
ends 0 'a library with an endless constructor' jacquard-c++ -DENDLESS -shared -fPIC -o libconstructor.so constructor.cc
JACQUARD_OPTIONS='seconds=1' ends 3 'an endless constructor' ./twice
says 'an endless constructor' 'cannot be told: that takes a real lock'

finish
