#include "tests/sim/replay/programs.h"

#include <dlfcn.h>
#include <pthread.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <memory>
#include <mutex>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "sim/runtime.h"

namespace jacquard {
namespace {

std::atomic<uint64_t> word;
std::mutex global_mutex;
thread_local int thread_number = 0;

// A few bits that all bits of the address decide.
unsigned Fold(const void* address) {
  return static_cast<unsigned>((reinterpret_cast<uintptr_t>(address) * 0x9E37'79B9'7F4A'7C15) >>
                               61);
}

// How many steps each thread takes, and what it writes, follows from addresses and thread ids.
void BranchesOnAddresses() {
  auto work = [] {
    int local = 0;
    const auto block = std::make_unique<char[]>(100);
    const void* const addresses[] = {
        &local,
        block.get(),
        &word,
        &thread_number,
        &errno,
        reinterpret_cast<const void*>(pthread_self()),
        reinterpret_cast<const void*>(std::hash<std::thread::id>()(std::this_thread::get_id())),
        reinterpret_cast<const void*>(&BranchesOnAddresses),
        dlsym(RTLD_DEFAULT, "getppid"),
    };
    for (const void* const address : addresses) {
      for (unsigned i = 0; i < Fold(address); ++i) word.fetch_add(i);
      word.fetch_xor(reinterpret_cast<uintptr_t>(address));
    }
    return word.load();
  };
  std::atomic<uint64_t> results[2] = {};
  std::thread a([&] { results[0].store(work()); });
  std::thread b([&] { results[1].store(work()); });
  a.join();
  b.join();
  Check(results[0].load() > results[1].load(), "the first thread has the larger result");
}

// Containers that are ordered by address or by hash, exceptions, thread-local variables, statics.
void UsesTheLibrary() {
  static std::vector<std::string>* const texts = new std::vector<std::string>;
  auto work = [](int number) {
    thread_number = number;
    try {
      if (word.fetch_add(1) % 2 == 0) throw std::runtime_error("planted " + std::to_string(number));
    } catch (const std::exception& exception) {
      word.fetch_add(Fold(&exception));
      const std::lock_guard lock(global_mutex);
      texts->push_back(exception.what());
    }
    std::unordered_map<const void*, int> by_address;
    for (int i = 0; i < 5; ++i) by_address[std::make_unique<int>().get()] = i;
    for (const auto& [address, i] : by_address) word.fetch_add(static_cast<uint64_t>(i * number));
  };
  std::thread a(work, 1), b(work, 2), c(work, 3);
  a.join();
  b.join();
  c.join();
  Check(texts->front().back() != '2', "thread 2 is not the first to throw");
}

// Time, chance, and waiting that ends in one of two ways.
void DependsOnTimeAndChance() {
  std::atomic<int> turn{0};
  std::random_device device;
  auto work = [&](int number) {
    const auto start = std::chrono::steady_clock::now();
    std::this_thread::sleep_for(std::chrono::nanoseconds(device() % 1000));
    const int drawn = std::rand() % 4;
    for (int i = 0; i < drawn; ++i) word.fetch_add(device());
    turn.store(number);
    const auto elapsed = std::chrono::steady_clock::now() - start;
    word.fetch_add(static_cast<uint64_t>(elapsed.count()));
  };
  std::thread a(work, 1), b(work, 2);
  while (turn.load() == 0) std::this_thread::yield();
  const int first = turn.load();
  a.join();
  b.join();
  Check(first == 1 || word.load() % 3 != 0, "time and chance do not meet");
}

// Ends as a deadlock, in part of spinning threads, or not.
void LocksInBothOrders() {
  static std::atomic<const void*> owner{nullptr};
  std::mutex mutex;
  auto spin_lock = [] {
    const void* expected = nullptr;
    while (!owner.compare_exchange_weak(expected, &errno)) expected = nullptr;
  };
  std::thread a([&] {
    for (unsigned i = 0; i < 4; ++i) word.fetch_add(Fold(&mutex) + i);
    const std::lock_guard lock(mutex);
    spin_lock();
    owner.store(nullptr);
  });
  std::thread b([&] {
    for (unsigned i = 0; i < 4; ++i) word.fetch_add(Fold(owner.load()) + i);
    spin_lock();
    mutex.lock();
    mutex.unlock();
    owner.store(nullptr);
  });
  a.join();
  b.join();
}

}  // namespace

const NamedProgram kPrograms[4] = {
    {"addresses", BranchesOnAddresses},
    {"library", UsesTheLibrary},
    {"time", DependsOnTimeAndChance},
    {"deadlock", LocksInBothOrders},
};

}  // namespace jacquard
