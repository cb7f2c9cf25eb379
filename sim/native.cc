// sim/runtime.h on real threads: no scheduler, no trace; what only feeds them does nothing.
#include "sim/native.h"

#include <cstdio>
#include <cstdlib>
#include <string>
#include <utility>

#include "sim/runtime.h"

namespace jacquard {
namespace {

thread_local int current_thread = -1;
thread_local uint64_t random_state = 0;

NativeFailureHandler& FailureHandler() {
  static auto* const handler = new NativeFailureHandler;  // threads may outlive main
  return *handler;
}

}  // namespace

void SetNativeThread(int thread, uint64_t seed) {
  current_thread = thread;
  random_state = seed;
}

void SetNativeFailureHandler(NativeFailureHandler handler) {
  FailureHandler() = std::move(handler);
}

int CurrentThread() { return current_thread; }

void Fail(std::string_view rule, std::string_view message) {
  if (FailureHandler()) FailureHandler()(rule, message);
  std::fprintf(stderr, "violated: %.*s: %.*s (thread %d)\n", static_cast<int>(rule.size()),
               rule.data(), static_cast<int>(message.size()), message.data(), current_thread);
  std::abort();
}

void BeginOperation(int /*operation*/) {}
void EndOperation() {}
bool Tracing() { return false; }
void Note(std::string_view /*text*/) {}
void DescribeOperation(std::string_view /*text*/) {}

// SplitMix64 (Steele, Lea and Flood, OOPSLA 2014).
int PickData(int alternatives) {
  if (current_thread < 0) return 0;
  uint64_t z = (random_state += 0x9e3779b97f4a7c15);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  z ^= z >> 31;
  return static_cast<int>(z % static_cast<uint64_t>(alternatives));
}

Ghost::Ghost() : were_on_(false) {}
Ghost::~Ghost() { (void)were_on_; }

}  // namespace jacquard
