// The ghost state of the mmap lock: who is inside, who waits, and which write section is open.
//
// Books each change of the semaphore's word and of the mm's sequence on the account of the thread
// whose step it was. Part of the ghost state of the per-VMA lock (vma_lock_ghost.h), which tells it
// of the steps. Functions here have no hooks: they make no step.
#ifndef JACQUARD_FUZZERS_MMAP_LOCK_GHOST_H_
#define JACQUARD_FUZZERS_MMAP_LOCK_GHOST_H_

#include <cstdint>
#include <string>

#include "fuzzers/private_members.h"
#include "fuzzers/vma_lock_rules.h"
#include "fuzzers/vma_lock_words.h"
#include "lock/rw_semaphore.h"
#include "sim/runtime.h"
#include "sim/step.h"

// Nothing from here to the matching pop is instrumented.
#pragma clang attribute push(__attribute__((no_sanitize("thread"), no_sanitize("coverage"), \
                                            disable_sanitizer_instrumentation)),            \
                             apply_to = function)

namespace jacquard::fuzzers {

class MmapLockGhost {
 public:
  static constexpr int kThreads = 4;
  static constexpr int kNobody = -1;

  // How somebody is inside the mmap lock.
  enum class Share : std::uint8_t { kNone, kReader, kWriter };

  // Takes over the lock as it is: nobody inside. `sequence` is the value at `counter`.
  MmapLockGhost(const lock::RwSemaphore& semaphore, const void* counter, std::uint64_t sequence)
      : counter_(counter),
        semaphore_(&(semaphore.*kWord)),
        queue_mutex_(&(semaphore.*kMutex)),
        sequence_(sequence) {}

  // --- What threads are doing ---

  void Begin(int t, Doing doing) {
    threads_[t].doing = doing;
    threads_[t].stale_object = nullptr;
  }
  void End(int t) { threads_[t].doing = Doing::kNothing; }
  Doing doing(int t) const { return threads_[t].doing; }

  // --- After every step ---

  bool IsSemaphore(const void* address) const { return address == semaphore_; }
  bool IsCounter(const void* address) const { return address == counter_; }

  // The semaphore's word. Who is let in by another thread gets its share from that thread's step.
  void OnSemaphore(const Step& step) {
    const int t = step.thread;
    Thread& me = threads_[t];
    const auto before = static_cast<std::uint32_t>(step.old_value);
    const auto after = static_cast<std::uint32_t>(step.new_value);
    if (before != word_) Violate(rule::kUnaccounted, t);
    word_ = after;
    switch (after - before) {
      case kReaderUnit:
      case kWriterBit: {
        const Share share = after - before == kWriterBit ? Share::kWriter : Share::kReader;
        if (queue_owner_ != t) {
          Allow(me.share == Share::kNone &&
                    me.doing == (share == Share::kWriter ? Doing::kLock : Doing::kLockShared),
                t);
          LetIn(t, share);
          if (share == Share::kReader) Passes(queue_length_, t);
        } else {
          LetInQueued(t, share);
        }
        break;
      }
      case 0 - kReaderUnit:
        Allow(me.doing == Doing::kUnlock && me.share == Share::kReader, t);
        me.share = Share::kNone;
        break;
      case 0 - kWriterBit:
        Allow(me.doing == Doing::kUnlock && me.share == Share::kWriter, t);
        if (SectionIsOpen()) Violate(rule::kParity, t);
        me.share = Share::kNone;
        writer_ = kNobody;
        break;
      case kReaderUnit - kWriterBit:
        Allow(me.doing == Doing::kDowngrade && me.share == Share::kWriter, t);
        if (SectionIsOpen()) Violate(rule::kParity, t);
        me.share = Share::kReader;
        writer_ = kNobody;
        break;
      case kWaitersBit:
      case 0:
        // The bit is set, perhaps again: the thread has queued. Or cleared again, for nothing.
        if ((after & kWaitersBit) != 0) Enqueue(t);
        break;
      case 0 - kWaitersBit:
        break;
      default:
        Violate(rule::kNotItsOwn, t);
    }
    if (queue_length_ != 0 && (after & kWaitersBit) == 0) Violate(rule::kQueueForgotten, t);
    if ((after & kWriterBit) != 0 && after >= kReaderUnit) Violate(rule::kWriterAndOthers, t);
  }

  // The mm's sequence gets the value `next` that follows the old one: a write section begins or
  // ends.
  void OnCounter(const Step& step, std::uint64_t next) {
    const int t = step.thread;
    const Doing doing = threads_[t].doing;
    if (writer_ != t || step.new_value != next) Violate(rule::kParity, t);
    Allow(SectionIsOpen() ? doing == Doing::kUnlock || doing == Doing::kDowngrade
                          : doing == Doing::kLock,
          t);
    sequence_ = next;
  }

  // On weak memory a thread may read what was the case.
  void OnStaleLoad(const Step& step) {
    threads_[step.thread].stale_object = step.address;
    threads_[step.thread].stale_value = step.new_value;
  }

  // A step that is no access to memory.
  void OnWait(const Step& step) {
    if (step.kind == StepKind::kFutexWait) threads_[step.thread].sleeps_on = step.address;
    if (step.address != queue_mutex_) return;
    if (step.kind == StepKind::kMutexUnlock) queue_owner_ = kNobody;
    if (step.kind == StepKind::kMutexLock) {
      queue_owner_ = static_cast<std::int8_t>(step.thread);
      if (threads_[step.thread].queued) LeaveQueue(step.thread);
    }
  }

  // --- What the operations say of themselves, after their last step ---

  // The lock is taken as `share`, or, with kNone, was not or is dropped.
  void Locked(int t, Share share) const {
    if (threads_[t].share != share || threads_[t].queued) Violate(rule::kNotHeld, t);
    if (share == Share::kWriter && !SectionIsOpen()) Violate(rule::kParity, t);
  }
  // A try has failed; `shared` if it was for reading.
  void TryFailed(int t, bool shared) const {
    const std::uint32_t reason = shared ? kWriterBit | kWaitersBit : ~std::uint32_t{0};
    const bool had_reason = HasReadStale(t, semaphore_) && (stale_value(t) & reason) != 0;
    if ((word_ & reason) == 0 && !had_reason) Violate(rule::kDishonest, t);
    Locked(t, Share::kNone);
  }
  // All threads are done.
  void CheckFinal() const {
    if (word_ != 0) Violate(rule::kLeftBehind, kNobody);
    if (SectionIsOpen()) Violate(rule::kParity, kNobody);
  }

  // --- For others ---

  // Who is inside for writing, or kNobody.
  int writer() const { return writer_; }
  std::uint64_t sequence() const { return sequence_; }
  bool SectionIsOpen() const { return (sequence_ & 1) != 0; }

  // Whether what thread `t` read last in its operation that was not the newest value was at
  // `object`; then stale_value is it. As good a reason to fail as the newest.
  bool HasReadStale(int t, const void* object) const { return threads_[t].stale_object == object; }
  std::uint64_t stale_value(int t) const { return threads_[t].stale_value; }

  // Who is inside, and whether anybody waits: under kStates.
  static constexpr int kStates = 6;
  int StateFeature() const {
    const int inside = (word_ & kWriterBit) != 0 ? 2 : word_ >= kReaderUnit;
    return inside + ((word_ & kWaitersBit) != 0 ? 3 : 0);
  }

  // In words.
  static std::string StateName(int feature) {
    constexpr const char* kInside[] = {"mmap lock free", "mmap lock read", "mmap lock written"};
    return std::string(kInside[feature % 3]) + (feature >= 3 ? ", awaited" : "");
  }

  std::string NameOf(const void* address) const {
    if (address == semaphore_) return "mm.semaphore";
    if (address == queue_mutex_) return "mm.queue_mutex";
    if (address == counter_) return "mm.lock_seq";
    for (int t = 0; t < kThreads; ++t) {
      if (threads_[t].queued && address == threads_[t].sleeps_on) {
        return "mm.queue[thread " + std::to_string(t) + "]";
      }
    }
    return {};
  }

  std::string TextOf(const void* address, std::uint64_t value) const {
    if (address == semaphore_) return TextOfSemaphore(value);
    if (address == counter_) return TextOfSequence(value);
    return {};
  }

  // Ends the execution: the mmap lock breaks `rule` by what thread `t` (or nobody) has done.
  [[noreturn, gnu::cold, gnu::noinline]] void Violate(const char* rule, int t) const {
    const Ghost ghost;
    std::string text = TextOfThread(t);
    text += "mm.semaphore is \"" + TextOfSemaphore(word_) + "\", mm.lock_seq " +
            TextOfSequence(sequence_);
    for (int i = 0; i < kThreads; ++i) {
      const std::string thread = ", thread " + std::to_string(i);
      if (threads_[i].share == Share::kReader) text += thread + " reads";
      if (threads_[i].share == Share::kWriter) text += thread + " writes";
      if (threads_[i].queued) text += thread + " waits";
    }
    Fail(rule, text);
  }

  // "thread 1 in unlock: ", the beginning of a violation's message.
  std::string TextOfThread(int t) const {
    if (t == kNobody) return {};
    return "thread " + std::to_string(t) + " in " + DoingName(threads_[t].doing) + ": ";
  }

 private:
  static constexpr auto kWord = Exposed(SemaphoreWord{});
  static constexpr auto kMutex = Exposed(SemaphoreMutex{});
  static constexpr std::uint32_t kWriterBit = Exposed(SemaphoreWriterBit{});
  static constexpr std::uint32_t kWaitersBit = Exposed(SemaphoreWaitersBit{});
  static constexpr std::uint32_t kReaderUnit = Exposed(SemaphoreReaderUnit{});

  // The constructors are spelt out, here and in the other ghost states: implicit ones have hooks.
  struct Thread {
    Thread() = default;
    Doing doing = Doing::kNothing;
    Share share = Share::kNone;
    bool queued = false;
    const void* sleeps_on = nullptr;
    const void* stale_object = nullptr;
    std::uint64_t stale_value = 0;
  };

  struct Queued {
    Queued() = default;
    Queued(int t, Share s) : thread(static_cast<std::int8_t>(t)), share(s) {}
    std::int8_t thread = kNobody;
    Share share = Share::kNone;
    std::uint8_t passed_by = 0;  // readers that arrived later and got in before it
  };

  void Allow(bool condition, int t) const {
    if (!condition) [[unlikely]]
      Violate(rule::kNotItsOwn, t);
  }

  void LetIn(int t, Share share) {
    threads_[t].share = share;
    if (share == Share::kWriter) writer_ = static_cast<std::int8_t>(t);
  }

  // Somebody was let in from the queue: the first who waits for such a share. (The word does not
  // say who; if it is another one, that one returns without a share.)
  void LetInQueued(int by, Share share) {
    int place = 0;
    while (place < queue_length_ && queue_[place].share != share) ++place;
    if (place == queue_length_) Violate(rule::kUnaccounted, by);
    const int t = queue_[place].thread;
    if (share == Share::kReader) Passes(place, t);
    Dequeue(place);
    LetIn(t, share);
  }

  // A reader enters before the first `places` of the queue.
  void Passes(int places, int reader) {
    for (int i = 0; i < places; ++i) {
      if (queue_[i].share == Share::kWriter &&
          ++queue_[i].passed_by > lock::RwSemaphore::kMaxReadersPassingQueuedWriter) {
        Violate(rule::kPassed, reader);
      }
    }
  }

  void Enqueue(int t) {
    const Doing doing = threads_[t].doing;
    Allow(!threads_[t].queued && threads_[t].share == Share::kNone &&
              (doing == Doing::kLock || doing == Doing::kLockShared),
          t);
    threads_[t].queued = true;
    queue_[queue_length_++] = Queued(t, doing == Doing::kLock ? Share::kWriter : Share::kReader);
  }

  void Dequeue(int place) {
    threads_[queue_[place].thread].queued = false;
    --queue_length_;
    for (; place < queue_length_; ++place) queue_[place] = queue_[place + 1];
  }

  // A thread that has queued and takes the queue's mutex again has given up: it is about to leave
  // the queue, and until it drops the mutex nobody sees whether it has.
  void LeaveQueue(int t) {
    for (int place = 0; place < queue_length_; ++place) {
      if (queue_[place].thread == t) return Dequeue(place);
    }
  }

  // Where the words are.
  const void* const counter_;
  const void* const semaphore_;
  const void* const queue_mutex_;

  std::uint64_t sequence_;
  std::uint32_t word_ = 0;  // the semaphore's
  std::int8_t writer_ = kNobody;
  std::int8_t queue_owner_ = kNobody;  // who has the queue's mutex: it lets in others, not itself
  int queue_length_ = 0;
  Thread threads_[kThreads];
  Queued queue_[kThreads];
};

}  // namespace jacquard::fuzzers

#pragma clang attribute pop

#endif  // JACQUARD_FUZZERS_MMAP_LOCK_GHOST_H_
