// The programs of jacquard_programs.cc, written for Relacy: relacy_programs NAME EXECUTIONS.
//
// With its random scheduler, its atomic objects for std::atomic, and rl::var for plain variables;
// `$` stands where one is accessed.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <relacy/relacy.hpp>

namespace {

struct SpinLock : rl::test_suite<SpinLock, 2> {
  rl::atomic<int> taken;
  rl::var<int> count;

  void before() {
    taken.store(0, rl::memory_order_relaxed);
    count($) = 0;
  }
  void thread(unsigned) {
    while (taken.exchange(1, rl::memory_order_acquire) != 0) {
    }
    count($) = count($) + 1;
    taken.store(0, rl::memory_order_release);
  }
};

struct TicketLock : rl::test_suite<TicketLock, 3> {
  rl::atomic<int> next;
  rl::atomic<int> serving;
  rl::var<int> count;

  void before() {
    next.store(0, rl::memory_order_relaxed);
    serving.store(0, rl::memory_order_relaxed);
    count($) = 0;
  }
  void thread(unsigned) {
    const int mine = next.fetch_add(1, rl::memory_order_relaxed);
    while (serving.load(rl::memory_order_acquire) != mine) {
    }
    count($) = count($) + 1;
    serving.store(mine + 1, rl::memory_order_release);
  }
};

// Two readers and a writer.
struct ReferenceCount : rl::test_suite<ReferenceCount, 3> {
  static constexpr int kExcluded = 0x4000;
  rl::atomic<int> references;
  rl::atomic<int> sequence;
  rl::var<int> data;

  void before() {
    references.store(1, rl::memory_order_relaxed);
    sequence.store(0, rl::memory_order_relaxed);
    data($) = 0;
  }
  void thread(unsigned index) { index < 2 ? Read() : Write(); }
  void Read() {
    const int begin = sequence.load(rl::memory_order_acquire);
    int seen = references.load(rl::memory_order_relaxed);
    do {
      if (seen == 0 || seen >= kExcluded - 1) return;
    } while (!references.compare_exchange_strong(seen, seen + 1, rl::memory_order_acquire,
                                                 rl::memory_order_relaxed));
    if (sequence.load(rl::memory_order_relaxed) == begin) {
      const int value = data($);
      RL_ASSERT(value == begin);
    }
    references.fetch_sub(1, rl::memory_order_release);
  }
  void Write() {
    references.fetch_add(kExcluded, rl::memory_order_acquire);
    while (references.load(rl::memory_order_acquire) != kExcluded + 1) {
    }
    data($) = 1;
    sequence.store(1, rl::memory_order_release);
    references.fetch_sub(kExcluded, rl::memory_order_release);
  }
};

struct StoreBuffering : rl::test_suite<StoreBuffering, 2> {
  rl::atomic<int> x;
  rl::atomic<int> y;
  rl::var<int> read[2];

  void before() {
    x.store(0, rl::memory_order_relaxed);
    y.store(0, rl::memory_order_relaxed);
  }
  void thread(unsigned index) {
    rl::atomic<int>& mine = index == 0 ? x : y;
    rl::atomic<int>& other = index == 0 ? y : x;
    mine.store(1, rl::memory_order_seq_cst);
    read[index]($) = other.load(rl::memory_order_seq_cst);
  }
  void after() { RL_ASSERT(read[0]($) + read[1]($) != 0); }
};

template <unsigned kThreads>
struct Operations : rl::test_suite<Operations<kThreads>, kThreads> {
  rl::atomic<int> word;

  void before() { word.store(0, rl::memory_order_relaxed); }
  void thread(unsigned) {
    for (int i = 0; i < 100; ++i) word.fetch_add(1, rl::memory_order_acq_rel);
  }
};

template <class Test>
bool Run(long executions) {
  rl::test_params parameters;
  parameters.iteration_count = static_cast<rl::iteration_t>(executions);
  parameters.search_type = rl::random_scheduler_type;
  return rl::simulate<Test>(parameters);
}

struct Entry {
  const char* name;
  bool (*run)(long executions);
};

constexpr Entry kEntries[] = {
    {"spin_lock", Run<SpinLock>},
    {"ticket_lock", Run<TicketLock>},
    {"reference_count", Run<ReferenceCount>},
    {"store_buffering", Run<StoreBuffering>},
    {"operations_2", Run<Operations<2>>},
    {"operations_4", Run<Operations<4>>},
    {"operations_8", Run<Operations<8>>},
};

}  // namespace

int main(int argc, char** argv) {
  for (const Entry& entry : kEntries) {
    if (argc == 3 && std::strcmp(argv[1], entry.name) == 0) {
      return entry.run(std::atol(argv[2])) ? 0 : 1;
    }
  }
  std::fprintf(stderr, "relacy_programs NAME EXECUTIONS\n");
  return 2;
}
