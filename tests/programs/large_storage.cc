// More thread-local storage than most programs have; a program of its own, as each thread of it
// pays.
#include <cassert>
#include <cstring>
#include <thread>

namespace {

constexpr int kSize = 9 << 20;
thread_local char large[kSize];
thread_local int initialised = 3;

}  // namespace

// `broken`: a thread writes to another's storage.
int main(int argc, char** argv) {
  const bool broken = argc > 1 && std::strcmp(argv[1], "broken") == 0;
  char* const mine = large;
  std::thread other([&] {
    assert(large[0] == 0 && large[kSize - 1] == 0 && initialised == 3);
    (broken ? mine : large)[kSize - 1] = 1;
    initialised = 4;
  });
  large[kSize - 1] = 2;
  other.join();
  assert(large[kSize - 1] == 2 && initialised == 3);
}
