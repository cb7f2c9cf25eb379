// How fast the per-VMA lock is, beside its peers: a Google Benchmark program.
//
//   ./bazelw run -c opt //stress/benchmarks:lock_benchmarks -- [GOOGLE-BENCHMARK-FLAG...]
//
// CASE/LOCK[/...]: the locks of one case stand next to each other, so that a busy machine slows all
// of them. One run says each number once; `//tools:figures -- benchmarks` runs the program several
// times and makes ratios of numbers of the same run.
//
// Times are those of the clock, since it is threads that are looked at, but for what one thread
// does alone, which is CPU time.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <thread>
#include <type_traits>
#include <vector>

#include "lock/rcu.h"
#include "lock/vma.h"
#include "lock/vma_map.h"
#include "stress/benchmarks/peers.h"

#pragma clang attribute push(__attribute__((no_thread_safety_analysis)), apply_to = function)

namespace jacquard::benchmarks {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kThreads = 2;
// No two objects on a cache line, nor on two that the hardware fetches together.
constexpr std::size_t kApart = 128;

double Nanoseconds(Clock::duration duration) {
  return std::chrono::duration<double, std::nano>(duration).count();
}

double Quantile(std::vector<double>& values, double quantile) {
  const auto nth = values.begin() +
                   static_cast<std::ptrdiff_t>(static_cast<double>(values.size() - 1) * quantile);
  std::nth_element(values.begin(), nth, values.end());
  return *nth;
}

template <class Lock>
struct alignas(kApart) Object {
  Lock lock;
  std::uint64_t value = 0;
};

// ---- readers

// Each thread reads one of the objects: its own, or all the first.
template <class Lock, bool kDifferent>
void Read(benchmark::State& state) {
  static Object<Lock> objects[kThreads];
  Lock& lock = objects[kDifferent ? state.thread_index() : 0].lock;
  for (auto _ : state) {
    lock.lock_shared();
    lock.unlock_shared();
  }
  state.SetItemsProcessed(state.iterations());
}

template <class Lock>
void RegisterReaders(const std::string& name) {
  benchmark::RegisterBenchmark(("uncontended/" + name).c_str(), Read<Lock, false>);
}

template <class Lock>
void RegisterTwoReaders(const std::string& name) {
  benchmark::RegisterBenchmark(("same_object/" + name).c_str(), Read<Lock, false>)
      ->Threads(kThreads)
      ->UseRealTime();
}

template <class Lock>
void RegisterScaling(const std::string& name) {
  benchmark::RegisterBenchmark(("different_objects/" + name).c_str(), Read<Lock, true>)
      ->Threads(1)
      ->Threads(kThreads)
      ->UseRealTime();
}

// ---- readers and writers

// Two threads on one object, each with `reads` reads for one write.
template <class Lock>
void Mix(benchmark::State& state, int reads) {
  static Object<Lock> object;
  int until_write = reads;
  for (auto _ : state) {
    if (until_write-- == 0) {
      object.lock.lock();
      ++object.value;
      object.lock.unlock();
      until_write = reads;
    } else {
      object.lock.lock_shared();
      benchmark::DoNotOptimize(object.value);
      object.lock.unlock_shared();
    }
  }
  state.SetItemsProcessed(state.iterations());
}

template <class Lock>
void RegisterMix(const std::string& name, int reads) {
  // Stated, because finding out how many takes too long with a spin lock that has a queue: who is
  // not running there keeps all others from running. Many, so that the threads, which begin one
  // after the other, meet.
  const int iterations = std::is_same_v<Lock, CkPflock> ? 20'000 : 2'000'000;
  benchmark::RegisterBenchmark(("mix_" + std::to_string(reads) + "_to_1/" + name).c_str(),
                               [reads](benchmark::State& state) { Mix<Lock>(state, reads); })
      ->Iterations(iterations)
      ->Threads(kThreads)
      ->UseRealTime();
}

// How long a writer waits for the lock while another thread reads without a pause. The writer
// pauses for about as long as ten reads take, so that the reader is at work again.
template <class Lock>
void WriterLatency(benchmark::State& state) {
  Object<Lock> object;
  std::atomic<bool> stop = false;
  std::atomic<std::uint64_t> reads = 0;
  std::thread reader([&] {
    while (!stop.load(std::memory_order_relaxed)) {
      object.lock.lock_shared();
      benchmark::DoNotOptimize(object.value);
      object.lock.unlock_shared();
      // Relaxed, both: a count that only this thread changes.
      reads.store(reads.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    }
  });
  std::vector<double> waits;
  waits.reserve(static_cast<std::size_t>(state.max_iterations));
  for (auto _ : state) {
    const std::uint64_t before = reads.load(std::memory_order_relaxed);
    while (reads.load(std::memory_order_relaxed) < before + 10) std::this_thread::yield();
    const auto begin = Clock::now();
    object.lock.lock();
    const auto end = Clock::now();
    ++object.value;
    object.lock.unlock();
    waits.push_back(Nanoseconds(end - begin));
    state.SetIterationTime(Nanoseconds(end - begin) * 1e-9);
  }
  stop = true;
  reader.join();
  state.counters["median_ns"] = Quantile(waits, 0.5);
  state.counters["p999_ns"] = Quantile(waits, 0.999);
}

template <class Lock>
void RegisterWriterLatency(const std::string& name) {
  benchmark::RegisterBenchmark(("writer_latency/" + name).c_str(), WriterLatency<Lock>)
      ->Iterations(2000)
      ->UseManualTime();
}

// ---- write-locking many, and releasing them

struct LockAllVmas {
  static constexpr const char* kName = "vma_lock";
  using Lock = Vma;
  static void LockAll(std::deque<Vma>& vmas) {
    Vma::mm.Lock();
    for (Vma& vma : vmas) vma.StartWrite();
  }
  static void ReleaseAll(std::deque<Vma>&) { Vma::mm.Unlock(); }
};

struct LockAllSharedMutexes {
  static constexpr const char* kName = "std_shared_mutex";
  using Lock = SharedMutex;
  static void LockAll(std::deque<SharedMutex>& locks) {
    for (SharedMutex& lock : locks) lock.lock();
  }
  static void ReleaseAll(std::deque<SharedMutex>& locks) {
    for (SharedMutex& lock : locks) lock.unlock();
  }
};

// The time is that of the release; what the clock itself takes is in it.
template <class Way>
void ReleaseAll(benchmark::State& state) {
  std::deque<typename Way::Lock> locks(static_cast<std::size_t>(state.range(0)));
  std::vector<double> locking, releasing;
  for (auto _ : state) {
    const auto begin = Clock::now();
    Way::LockAll(locks);
    const auto locked = Clock::now();
    Way::ReleaseAll(locks);
    const auto end = Clock::now();
    locking.push_back(Nanoseconds(locked - begin));
    releasing.push_back(Nanoseconds(end - locked));
    state.SetIterationTime(releasing.back() * 1e-9);
  }
  state.counters["lock_ns"] = Quantile(locking, 0.5);
  state.counters["release_ns"] = Quantile(releasing, 0.5);
}

template <class Way>
void RegisterReleaseAll(int count) {
  benchmark::RegisterBenchmark((std::string("release_all/") + Way::kName).c_str(), ReleaseAll<Way>)
      ->Arg(count)
      ->Iterations(std::clamp(1'000'000 / count, 5, 1000))
      ->UseManualTime();
}

// ---- looking up

constexpr lock::Address kPage = 4096;

// Spread over all, and the same for both: a linear congruential generator (Knuth's constants).
class Addresses {
 public:
  explicit Addresses(int count) : count_(static_cast<std::uint64_t>(count)) {}
  lock::Address Next() {
    state_ = state_ * 6364136223846793005u + 1442695040888963407u;
    return ((state_ >> 32) * count_ >> 32) * kPage + kPage / 2;
  }

 private:
  const std::uint64_t count_;
  std::uint64_t state_ = 1;
};

// What LockVmaUnderRcu does, with the map that it does it on, which is filled at once here: one
// VMA after another would copy the table as many times.
class RcuTable {
 public:
  static constexpr const char* kName = "vma_lock";
  using Vma = lock::BasicVma<>;
  using Map = lock::VmaMap<Vma>;

  explicit RcuTable(int count) : vmas_(static_cast<std::size_t>(count)) {
    std::vector<Map::Entry> entries;
    lock::Address start = 0;
    mm_.Lock();
    for (Vma& vma : vmas_) {
      vma.lock.Initialize(mm_);
      vma.start = start;
      vma.end = start += kPage;
      vma.lock.StartWrite(mm_);
      vma.lock.MarkAttached(mm_);
      entries.push_back({vma.start, vma.end, &vma});
    }
    map_.Replace(std::move(entries));
    mm_.Unlock();
  }
  ~RcuTable() {
    mm_.Lock();
    for (Vma& vma : vmas_) {
      vma.lock.StartWrite(mm_);
      vma.lock.MarkDetached(mm_);
    }
    mm_.Unlock();
  }

  // Finds the VMA, read-locks it, and unlocks it. False if there is none.
  bool LookUp(lock::Address address) {
    Map::Cursor cursor(address);
    lock::Rcu::ReadLock();
    Vma* const vma = map_.Walk(cursor);
    const bool locked = vma != nullptr && vma->lock.StartRead(mm_) == lock::ReadResult::kLocked;
    lock::Rcu::ReadUnlock();
    if (!locked) return false;
    const bool found = vma->Contains(address);
    vma->lock.EndRead();
    return found;
  }

  // Takes the VMA in the middle out of the map and puts it in again, as a writer does.
  void Change() {
    mm_.Lock();
    std::vector<Map::Entry> entries = map_.Entries();
    const std::size_t middle = entries.size() / 2;
    const Map::Entry taken = entries[middle];
    entries.erase(entries.begin() + static_cast<std::ptrdiff_t>(middle));
    map_.Replace(std::move(entries));
    entries = map_.Entries();
    entries.insert(entries.begin() + static_cast<std::ptrdiff_t>(middle), taken);
    map_.Replace(std::move(entries));
    mm_.Unlock();
  }

 private:
  lock::MmapLock mm_;
  Map map_;
  std::deque<Vma> vmas_;
};

// Looks at the object that it finds, too, as the other one looks at its VMA.
class MapUnderSharedMutex {
 public:
  static constexpr const char* kName = "std_map_shared_mutex";

  explicit MapUnderSharedMutex(int count) : objects_(static_cast<std::size_t>(count)) {
    lock::Address start = 0;
    for (Range& object : objects_) {
      object = {start, start + kPage};
      map_.emplace_hint(map_.end(), start, &object);
      start = object.end;
    }
  }

  bool LookUp(lock::Address address) {
    const std::shared_lock guard(mutex_);
    const auto after = map_.upper_bound(address);
    return after != map_.begin() && address < std::prev(after)->second->end;
  }

  void Change() {
    const std::lock_guard guard(mutex_);
    Range& middle = objects_[objects_.size() / 2];
    map_.erase(middle.start);
    map_.emplace(middle.start, &middle);
  }

 private:
  struct alignas(lock::BasicVma<>) Range {
    lock::Address start;
    lock::Address end;
  };

  std::shared_mutex mutex_;
  std::map<lock::Address, Range*> map_;  // by their starts
  std::deque<Range> objects_;
};

// One table of each size, made once: thread 0 makes it before the others begin.
template <class Table>
std::unique_ptr<Table> table;

template <class Table>
void LookUp(benchmark::State& state) {
  const int count = static_cast<int>(state.range(0));
  if (state.thread_index() == 0) table<Table> = std::make_unique<Table>(count);
  Addresses addresses(count);
  bool found = true;
  for (auto _ : state) found &= table<Table>->LookUp(addresses.Next());
  if (!found) state.SkipWithError("an address was not found");
  state.SetItemsProcessed(state.iterations());
  if (state.thread_index() == 0) table<Table> = nullptr;
}

template <class Table>
void Change(benchmark::State& state) {
  Table changed(static_cast<int>(state.range(0)));
  for (auto _ : state) changed.Change();
  lock::Rcu::Barrier();
}

template <class Table>
void RegisterLookUp(int count) {
  benchmark::RegisterBenchmark((std::string("lookup/") + Table::kName).c_str(), LookUp<Table>)
      ->Arg(count)
      ->Threads(1)
      ->Threads(kThreads)
      ->UseRealTime();
}

template <class Table>
void RegisterChange(int count) {
  benchmark::RegisterBenchmark((std::string("change/") + Table::kName).c_str(), Change<Table>)
      ->Arg(count)
      ->Unit(benchmark::kNanosecond);
}

// ---- memory

// Not a time: how many bytes a lock takes.
template <class Lock>
void Bytes(benchmark::State& state) {
  for (auto _ : state) {
  }
  state.counters["bytes"] = static_cast<double>(Lock::kBytes);
}

template <class Lock>
void RegisterBytes(const std::string& name) {
  benchmark::RegisterBenchmark(("bytes/" + name).c_str(), Bytes<Lock>)->Iterations(1);
}

void RegisterAll() {
  RegisterReaders<CounterPair>(CounterPair::kName);
  ForEachLock([]<class Lock>() { RegisterReaders<Lock>(Lock::kName); });
  RegisterTwoReaders<CounterPair>(CounterPair::kName);
  ForEachLock([]<class Lock>() { RegisterTwoReaders<Lock>(Lock::kName); });
  RegisterScaling<CounterPair>(CounterPair::kName);
  ForEachLock([]<class Lock>() { RegisterScaling<Lock>(Lock::kName); });
  for (const int reads : {100, 10, 1}) {
    ForEachLock([reads]<class Lock>() { RegisterMix<Lock>(Lock::kName, reads); });
  }
  ForEachLock([]<class Lock>() { RegisterWriterLatency<Lock>(Lock::kName); });
  for (int count = 1; count <= 1'000'000; count *= 10) {
    RegisterReleaseAll<LockAllVmas>(count);
    RegisterReleaseAll<LockAllSharedMutexes>(count);
  }
  for (int count = 10; count <= 1'000'000; count *= 10) {
    RegisterLookUp<RcuTable>(count);
    RegisterLookUp<MapUnderSharedMutex>(count);
    RegisterChange<RcuTable>(count);
    RegisterChange<MapUnderSharedMutex>(count);
  }
  RegisterBytes<CounterPair>(CounterPair::kName);
  ForEachLock([]<class Lock>() { RegisterBytes<Lock>(Lock::kName); });
}

}  // namespace
}  // namespace jacquard::benchmarks

#pragma clang attribute pop

int main(int argc, char** argv) {
  jacquard::benchmarks::RegisterAll();
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
}
