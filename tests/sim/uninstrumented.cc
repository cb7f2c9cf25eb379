#include "tests/sim/uninstrumented.h"

namespace jacquard {
namespace {

int counter = 0;
thread_local int counter_of_thread = 0;

}  // namespace

void ResetHiddenCounter() { counter = 0; }
int CountHidden() { return ++counter; }
int CountHiddenOfThread() { return ++counter_of_thread; }

}  // namespace jacquard
