// planted race|use-after-free|overflow: one bug, which only the sanitizer that looks for it
// notices.
#include <cstdio>
#include <cstring>
#include <limits>
#include <memory>
#include <thread>

namespace {

// Volatile: so that no compiler knows better.
volatile int seen = 0;

void Race() {
  int shared = 0;
  int* volatile place = &shared;
  std::thread other([&] { *place = 1; });
  *place = 2;
  other.join();
  seen = shared;
}

void UseAfterFree() {
  auto owner = std::make_unique<int>(1);
  const int* volatile const place = owner.get();
  owner.reset();
  seen = *place;
}

void Overflow() {
  volatile int number = std::numeric_limits<int>::max();
  seen = number + 1;
}

}  // namespace

int main(int argc, char** argv) {
  const char* const bug = argc == 2 ? argv[1] : "";
  if (std::strcmp(bug, "race") == 0) {
    Race();
  } else if (std::strcmp(bug, "use-after-free") == 0) {
    UseAfterFree();
  } else if (std::strcmp(bug, "overflow") == 0) {
    Overflow();
  } else {
    std::fputs("planted race|use-after-free|overflow\n", stderr);
    return 2;
  }
  std::puts("nobody has noticed");
  return 0;
}
