// A program with an operator new of its own, as those have that count allocations or let them fail.
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <memory>
#include <new>
#include <string>
#include <thread>
#include <vector>

namespace {

// In front of each block: what is freed otherwise than it was allocated goes wrong.
struct Header {
  size_t size;
  size_t magic;
};
static_assert(sizeof(Header) == 16);
constexpr size_t kMagic = 0x1234'5678;

std::atomic<int> live = 0;
std::atomic<int> made = 0;

struct Large {
  alignas(64) char bytes[64];
};

int Fail(const char* what) {
  std::fprintf(stderr, "wrong: %s\n", what);
  return 1;
}

}  // namespace

void* operator new(size_t size) {
  auto* const header = static_cast<Header*>(std::malloc(sizeof(Header) + size));
  if (header == nullptr) throw std::bad_alloc();
  *header = {size, kMagic};
  live.fetch_add(1, std::memory_order_relaxed);
  made.fetch_add(1, std::memory_order_relaxed);
  return header + 1;
}

void operator delete(void* block) noexcept {
  if (block == nullptr) return;
  Header* const header = static_cast<Header*>(block) - 1;
  if (header->magic != kMagic) std::abort();
  live.fetch_sub(1, std::memory_order_relaxed);
  std::free(header);
}

std::vector<std::string> global = {std::string(100, 'a'), "b"};

int main(int argc, char** argv) {
  const std::string way = argc > 1 ? argv[1] : "right";
  // The C++ library keeps the buffers that it takes here, for all executions: nobody else gets
  // them.
  std::ios::sync_with_stdio(false);
  const std::string large(200'000, 'z');
  std::cout << "executes " << way << std::endl;
  if (large.find_first_not_of('z') != std::string::npos) return Fail("a block of the program");
  const int before = made.load();
  std::thread other([] {
    auto* const array = new (std::nothrow) int[10];
    delete[] array;
    auto* const one = new std::string(200, 'c');
    delete one;
    auto* const large = new Large;  // an aligned form, which is not the program's
    delete large;
    global.push_back(std::string(50, 'd'));
    global[0].append(1000, 'e');
  });
  other.join();
  if (made.load() - before < 5) return Fail("the program's operator is not called");
  if (global.size() != 3 || global[0].size() != 1100) return Fail("the global");
  if (way == "lose") {
    [[maybe_unused]] int* volatile lost = new int[10];
    lost = nullptr;
  }
  if (way == "overflow") {
    auto* volatile const bytes = new char[24];
    bytes[24] = 1;
    delete[] bytes;
  }
  if (way == "free") {
    auto* const number = new int(1);
    int* volatile const again = number;
    delete number;
    return *again == 1 ? 0 : 2;
  }
  return 0;
}
