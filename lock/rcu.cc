#include "lock/rcu.h"

#include <algorithm>
#include <atomic>

#include "lock/check.h"
#include "lock/mutex.h"
#include "lock/rcu_wait.h"

namespace jacquard::lock {
namespace {

// A thread as a reader.
struct Record {
  // The number of the period in which the outermost section was opened, or kOutside.
  std::atomic<std::uint64_t> period{0};
  // Whether a thread has it. Records are never freed, so that walking the list needs no care.
  std::atomic<bool> owned{true};
  Record* next = nullptr;  // constant once the record is in the list
  int depth = 0;           // the owner's
};

constexpr std::uint64_t kOutside = 0;
constexpr std::uint64_t kNoReader = ~std::uint64_t{0};

struct Domain {
  std::atomic<std::uint64_t> period{1};
  std::atomic<Record*> records{nullptr};

  // One thread at a time waits for readers; the others wait for it.
  Mutex waiting;
  RcuWait readers_left;

  // The queue, in the order of the periods.
  Mutex queue;
  RcuHead* first JACQUARD_GUARDED_BY(queue) = nullptr;
  RcuHead* last JACQUARD_GUARDED_BY(queue) = nullptr;

  // Held while callbacks run.
  Mutex running;
};

constinit Domain domain;

thread_local Record* mine = nullptr;
thread_local bool in_callback = false;

// Gives the record back when the thread ends.
struct Registration {
  ~Registration() {
    JACQUARD_LOCK_CHECK(mine->depth == 0, "thread ends inside an RCU section");
    Record* const record = mine;
    mine = nullptr;
    // Release: pairs with the acquire of the next owner, which goes on with the depth.
    record->owned.store(false, std::memory_order_release);
  }
  void Touch() {}
};

[[gnu::noinline]] Record& Register() {
  static thread_local Registration registration;
  // Acquire, here and below: pairs with the release of the push; we read the record's `next`.
  Record* record = domain.records.load(std::memory_order_acquire);
  for (; record != nullptr; record = record->next) {
    bool owned = false;
    // Acquire: pairs with ~Registration. Relaxed: the value is dropped.
    if (record->owned.compare_exchange_strong(owned, true, std::memory_order_acquire,
                                              std::memory_order_relaxed)) {
      break;
    }
  }
  if (record == nullptr) {
    record = new Record;
    // Relaxed: pairs with nothing; the exchange below compares it.
    Record* head = domain.records.load(std::memory_order_relaxed);
    do {
      record->next = head;
      // Release: pairs with the acquire of whoever walks the list. Relaxed: only compared.
    } while (!domain.records.compare_exchange_weak(head, record, std::memory_order_release,
                                                   std::memory_order_relaxed));
  }
  mine = record;
  registration.Touch();
  return *record;
}

// The number of the oldest period in which a section was opened that is still open.
std::uint64_t OldestReader() {
  std::uint64_t oldest = kNoReader;
  // Acquire: see Register. A record that is pushed later is found, or fence A after its first
  // section comes after our fence B, like any other.
  for (Record* record = domain.records.load(std::memory_order_acquire); record != nullptr;
       record = record->next) {
    // Acquire: pairs with the release of ReadUnlock; what the section read, it read before we free.
    const std::uint64_t period = record->period.load(std::memory_order_acquire);
    if (period != kOutside && period < oldest) oldest = period;
  }
  return oldest;
}

// Begins a new period and returns its number: when no older reader is left, a grace period is over.
std::uint64_t BeginPeriod() {
  // Fence B, pairs with fence A of ReadLock: a reader whose record we miss misses what we unlinked.
  FullFence();
  // Release: pairs with the load in ReadLock; a reader with the new number sees what we unlinked.
  // Acquire: pairs with itself; who waits for this period runs the callbacks of earlier ones, too,
  // so it must find every reader that those who began them could have found.
  return domain.period.fetch_add(1, std::memory_order_acq_rel) + 1;
}

void WaitForReaders(std::uint64_t period) {
  const MutexGuard guard(domain.waiting);
  domain.readers_left.WaitUntil([period] { return OldestReader() >= period; });
}

// Takes what is due from the queue: a list in order. The caller knows that the grace period `over`
// is over; the records need not say so again, as a reader may be slow to write down an old number.
RcuHead* TakeDue(std::uint64_t over) {
  const MutexGuard guard(domain.queue);
  if (domain.first == nullptr) return nullptr;
  const std::uint64_t due_until = std::max(OldestReader(), over);
  RcuHead* last_due = nullptr;
  for (RcuHead* head = domain.first; head != nullptr && head->period <= due_until;
       head = head->next) {
    last_due = head;
  }
  if (last_due == nullptr) return nullptr;
  RcuHead* const due = domain.first;
  domain.first = last_due->next;
  if (domain.first == nullptr) domain.last = nullptr;
  last_due->next = nullptr;
  return due;
}

bool RunDue(std::uint64_t over) JACQUARD_REQUIRES(domain.running) {
  RcuHead* head = TakeDue(over);
  const bool any = head != nullptr;
  in_callback = true;
  while (head != nullptr) {
    RcuHead* const next = head->next;  // before the call, which may free it
    head->function(head);
    head = next;
  }
  in_callback = false;
  return any;
}

}  // namespace

void Rcu::ReadLock() {
  Record& record = mine != nullptr ? *mine : Register();
  if (record.depth++ != 0) return;
  // Acquire: pairs with BeginPeriod.
  const std::uint64_t period = domain.period.load(std::memory_order_acquire);
  // Release: pairs with OldestReader, which may meet this number instead of the kOutside before it,
  // and must have the earlier section's reads behind it all the same.
  record.period.store(period, std::memory_order_release);
  // Fence A, pairs with fence B of BeginPeriod: if a reclaimer misses this record, we miss what it
  // has unlinked.
  FullFence();
}

void Rcu::ReadUnlock() {
  JACQUARD_LOCK_CHECK(mine != nullptr && mine->depth > 0, "RCU section closed that is not open");
  if (--mine->depth != 0) return;
  // Release: pairs with OldestReader; the section's reads stay inside.
  mine->period.store(kOutside, std::memory_order_release);
  domain.readers_left.Wake();
}

int Rcu::ReadDepth() { return mine != nullptr ? mine->depth : 0; }

void Rcu::Synchronize() {
  JACQUARD_LOCK_CHECK(ReadDepth() == 0, "waits for a grace period inside an RCU section");
  WaitForReaders(BeginPeriod());
  RunCallbacks();
}

void Rcu::Call(RcuHead& head, RcuHead::Function function) {
  head.next = nullptr;
  head.function = function;
  {
    const MutexGuard guard(domain.queue);
    head.period = BeginPeriod();
    (domain.last != nullptr ? domain.last->next : domain.first) = &head;
    domain.last = &head;
  }
  RunCallbacks();
}

bool Rcu::RunCallbacks() JACQUARD_NO_THREAD_SAFETY_ANALYSIS {
  // Not one within the other; and who cannot have the mutex leaves the work to its owner, or to the
  // next who comes by.
  if (in_callback || !domain.running.TryLock()) return false;
  const bool any = RunDue(0);
  domain.running.Unlock();
  return any;
}

void Rcu::Barrier() {
  JACQUARD_LOCK_CHECK(ReadDepth() == 0, "waits for callbacks inside an RCU section");
  JACQUARD_LOCK_CHECK(!in_callback, "waits for callbacks in a callback");
  const std::uint64_t period = BeginPeriod();
  WaitForReaders(period);
  // What was taken from the queue before by another thread has run when that one drops the mutex.
  const MutexGuard guard(domain.running);
  RunDue(period);
}

}  // namespace jacquard::lock
