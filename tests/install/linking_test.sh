#!/bin/bash
# What a program is linked of: shared libraries with hooks, partial links, code of another compiler.
#   linking_test.sh INSTALLER RUNFILES...
set -u
. "$PWD/tests/install/checks.sh"

begin "${@:2}"
export JACQUARD_OPTIONS='executions=2000'

cat >library.cc <<'END'
#include <atomic>
#include <list>
#include <mutex>
static std::atomic<int> counter{0};
thread_local int calls = 0;
static std::list<int> list;
static std::mutex mutex;
int Count() { return ++counter; }
int Calls() { return ++calls; }
int Length() {
  std::lock_guard<std::mutex> guard(mutex);
  list.push_back(1);
  return static_cast<int>(list.size());
}
static std::once_flag once;
static std::atomic<int> initialisations{0};
static int* value;
int Value() {
  std::call_once(once, [] {
    value = new int(42);
    ++initialisations;
  });
  return *value + initialisations;
}
END
cat >begins_anew.cc <<'END'
#include <cassert>
#include <thread>
int Count();
int Calls();
int Length();
int Value();
int main() {
  std::thread thread([] {
    assert(Value() == 43);
    Count();
    Length();
    assert(Calls() == 1);
  });
  Count();
  Length();
  assert(Value() == 43);
  assert(Calls() == 1);
  thread.join();
  assert(Count() == 3 && Length() == 3);
}
END
ends 0 'a library with hooks' jacquard-c++ -shared -fPIC -o libanew.so library.cc
# As projects link that want to know what is undefined: the hooks are the program's.
ends 0 'a library without undefined names' jacquard-c++ -shared -fPIC -Wl,--no-undefined -o libanew.so library.cc
ends 0 'a program that uses it' jacquard-c++ -o begins_anew begins_anew.cc ./libanew.so
ends 0 'the variables of the library begin anew' ./begins_anew
ends 0 'an object' jacquard-c++ -c library.cc
ends 0 'a partial link' jacquard-c++ -r -o partial.o library.o
ends 0 'what is linked of it' jacquard-c++ -o partial begins_anew.cc partial.o
ends 0 'it runs' ./partial

# A static library that another compiler has made, as a test framework often is, writes to what it has allocated before
# main: in each execution anew.
cat >registry.cc <<'END'
#include <vector>
struct Suite {
  std::vector<int> tests;
};
static std::vector<Suite *> suites;
static const struct Constructed {
  Constructed() {
    suites.push_back(new Suite);
    suites[0]->tests.push_back(1);
    delete new Suite;
  }
} constructed;
int Register() {
  suites[0]->tests.push_back(2);
  return suites[0]->tests.size();
}
END
cat >registers.cc <<'END'
#include <cstdlib>
#include <thread>
int Register();
int main() {
  std::thread([] {}).join();
  if (Register() != 2 || Register() != 3) std::abort();
}
END
ends 0 'a library without hooks' "$compiler" -c registry.cc
ends 0 'who uses it' jacquard-c++ -o registers registers.cc registry.o
ends 0 'what it has registered' env JACQUARD_OPTIONS=executions=200 ./registers

finish
