// An engine that is not libFuzzer, as small as can be: executes the files of its command line, and
// says how many guards each input has passed, and how many none before it had.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <vector>

extern "C" {
int LLVMFuzzerInitialize(int* argc, char*** argv);
int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);
}

namespace {

// Of guards; zero before main().
uint32_t numbered = 0;
constexpr size_t kMost = 1 << 16;
bool passed[kMost];

}  // namespace

extern "C" {

void __sanitizer_cov_trace_pc_guard_init(uint32_t* start, uint32_t* stop) {
  if (start == stop || *start != 0) return;
  for (uint32_t* guard = start; guard != stop; ++guard) *guard = ++numbered;
}

void __sanitizer_cov_trace_pc_guard(uint32_t* guard) {
  if (*guard < kMost) passed[*guard] = true;
}
}

int main(int argc, char** argv) {
  LLVMFuzzerInitialize(&argc, &argv);
  std::printf("%u guards\n", numbered);
  std::set<size_t> known;
  for (int i = 1; i < argc; ++i) {
    std::ifstream file(argv[i], std::ios::binary);
    const std::string bytes(std::istreambuf_iterator<char>(file), {});
    std::fill(std::begin(passed), std::end(passed), false);
    LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
    size_t count = 0;
    size_t fresh = 0;
    for (size_t guard = 0; guard < kMost; ++guard) {
      if (!passed[guard]) continue;
      ++count;
      if (known.insert(guard).second) ++fresh;
    }
    std::printf("%s: %zu passed, %zu of them first\n", argv[i], count, fresh);
  }
  return 0;
}
