// What a program draws at random is the same where an execution is repeated, in whatever way it
// reads from the device of random numbers or asks the C library.
#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cassert>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <thread>

#include "tests/programs/programs.h"

namespace {

constexpr const char* kDevice = "/dev/urandom";

unsigned ReadFile() {
  unsigned drawn = 0;
  const int file = open(kDevice, O_RDONLY);
  [[maybe_unused]] const ssize_t size = read(file, &drawn, sizeof(drawn));
  assert(size == sizeof(drawn));
  close(file);
  return drawn;
}

unsigned ReadStream() {
  unsigned drawn = 0;
  std::FILE* const stream = std::fopen(kDevice, "rb");
  [[maybe_unused]] const size_t count = std::fread(&drawn, sizeof(drawn), 1, stream);
  assert(count == 1);
  std::fclose(stream);
  return drawn;
}

unsigned ReadCxxStream() {
  unsigned drawn = 0;
  std::ifstream stream(kDevice, std::ios::binary);
  stream.read(reinterpret_cast<char*>(&drawn), sizeof(drawn));
  assert(stream.good());
  return drawn;
}

unsigned AskForBytes() {
  unsigned drawn = 0;
  arc4random_buf(&drawn, sizeof(drawn));
  return drawn;
}

unsigned AskForUniform() {
  constexpr unsigned kBound = 1000;
  const unsigned drawn = arc4random_uniform(kBound);
  assert(drawn < kBound);
  return drawn;
}

}  // namespace

void Dice(bool broken) {
  unsigned (*const ways[])() = {ReadFile,   ReadStream,  ReadCxxStream,
                                arc4random, AskForBytes, AskForUniform};
  for (unsigned (*const draw)() : ways) {
    std::atomic<unsigned> sum = 0;
    unsigned drawn = 0;
    std::thread other([&] {
      drawn = draw() % 3;
      for (unsigned i = 0; i < drawn; ++i) {
        if (broken) {
          sum = sum + 1;
        } else {
          ++sum;
        }
      }
    });
    ++sum;
    other.join();
    assert(sum == drawn + 1);
  }
}
