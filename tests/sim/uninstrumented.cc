#include "tests/sim/uninstrumented.h"

#include <cstring>
#include <list>
#include <map>

namespace jacquard {
namespace {

int counter = 0;
thread_local int counter_of_thread = 0;

}  // namespace

void ResetHiddenCounter() { counter = 0; }
int CountHidden() { return ++counter; }
int CountHiddenOfThread() { return ++counter_of_thread; }

void ChangeHiddenContainers(int key) {
  static char text[100];
  static std::map<int, int> map;
  static std::list<int> list;
  const char* volatile source = "a text";  // a call, and no copy that the compiler makes
  strcpy(text, source);
  map[key] = static_cast<int>(strlen(text));
  list.push_back(key);
}

}  // namespace jacquard
