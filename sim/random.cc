// The C library's and the C++ library's random numbers, as simulated threads see them: they follow
// from one pick, made when the execution asks for the first of them, so that an execution can be
// repeated.
#include "sim/random.h"

#include <stdlib.h>
#include <sys/random.h>
#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <random>

#include "sim/engine.h"
#include "sim/real.h"

namespace jacquard::sim {

constinit RandomNumbers random_numbers;

namespace {

// Few, so that an exhaustive search with random numbers in it still ends.
constexpr int kSeeds = 16;

void Seed(uint64_t seed) { random_numbers = {.state = seed, .is_seeded = true}; }

uint64_t NextRandom() {
  if (!random_numbers.is_seeded) {
    Seed(static_cast<uint64_t>(engine.Simulates() ? engine.Choose(PickKind::kData, kSeeds) : 0));
  }
  // To the spin detector a round that draws another number is another round.
  if (engine.Simulates()) engine.current->spin.Reset();
  // SplitMix64 (Steele, Lea and Flood, OOPSLA 2014).
  uint64_t z = (random_numbers.state += 0x9E37'79B9'7F4A'7C15);
  z = (z ^ (z >> 30)) * 0xBF58'476D'1CE4'E5B9;
  z = (z ^ (z >> 27)) * 0x94D0'49BB'1331'11EB;
  return z ^ (z >> 31);
}

// Also in Begin and End, where nothing is a step.
bool IsSimulated() { return engine.InExecution(); }

void Fill(void* buffer, size_t size) {
  engine.rollback.BeforeWrite(buffer, size);
  auto* to = static_cast<char*>(buffer);
  while (size != 0) {
    const uint64_t value = NextRandom();
    const size_t part = size < sizeof(value) ? size : sizeof(value);
    std::memcpy(to, &value, part);
    to += part;
    size -= part;
  }
}

long Random31() { return static_cast<long>(NextRandom() >> 33); }
long Random32() { return static_cast<int32_t>(NextRandom() >> 32); }
double RandomFraction() { return static_cast<double>(NextRandom() >> 11) * 0x1p-53; }

}  // namespace
}  // namespace jacquard::sim

using jacquard::sim::Fill;
using jacquard::sim::IsSimulated;
using jacquard::sim::NextRandom;
using jacquard::sim::Random31;
using jacquard::sim::Random32;
using jacquard::sim::RandomFraction;
using jacquard::sim::Seed;

extern "C" {

int rand() noexcept { return IsSimulated() ? static_cast<int>(Random31()) : JACQUARD_REAL(rand)(); }
long random() noexcept { return IsSimulated() ? Random31() : JACQUARD_REAL(random)(); }
long lrand48() noexcept { return IsSimulated() ? Random31() : JACQUARD_REAL(lrand48)(); }
long mrand48() noexcept { return IsSimulated() ? Random32() : JACQUARD_REAL(mrand48)(); }
double drand48() noexcept { return IsSimulated() ? RandomFraction() : JACQUARD_REAL(drand48)(); }

void srand(unsigned seed) noexcept { IsSimulated() ? Seed(seed) : JACQUARD_REAL(srand)(seed); }
void srandom(unsigned seed) noexcept { IsSimulated() ? Seed(seed) : JACQUARD_REAL(srandom)(seed); }
void srand48(long seed) noexcept {
  IsSimulated() ? Seed(static_cast<uint64_t>(seed)) : JACQUARD_REAL(srand48)(seed);
}

ssize_t getrandom(void* buffer, size_t size, unsigned flags) {
  if (!IsSimulated()) return JACQUARD_REAL(getrandom)(buffer, size, flags);
  Fill(buffer, size);
  return static_cast<ssize_t>(size);
}

int getentropy(void* buffer, size_t size) {
  if (!IsSimulated()) return JACQUARD_REAL(getentropy)(buffer, size);
  Fill(buffer, size);
  return 0;
}

uint32_t arc4random() noexcept {
  return IsSimulated() ? static_cast<uint32_t>(NextRandom()) : JACQUARD_REAL(arc4random)();
}

void arc4random_buf(void* buffer, size_t size) noexcept {
  IsSimulated() ? Fill(buffer, size) : JACQUARD_REAL(arc4random_buf)(buffer, size);
}

uint32_t arc4random_uniform(uint32_t bound) noexcept {
  if (!IsSimulated()) return JACQUARD_REAL(arc4random_uniform)(bound);
  return static_cast<uint32_t>((NextRandom() >> 32) * bound >> 32);
}

}  // extern "C"

// Else it would ask the processor.
std::random_device::result_type std::random_device::_M_getval() {
  if (IsSimulated()) return static_cast<result_type>(NextRandom());
  static const auto real = reinterpret_cast<result_type (*)(random_device*)>(
      jacquard::sim::FindReal("_ZNSt13random_device9_M_getvalEv"));
  return real(this);
}
