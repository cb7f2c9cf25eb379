// The exclude-readers section: no reader is inside a VMA, and none can come in, while an object of
// this type lives.
//
//     {
//       ExcludeReaders<Widths> section(word, writer_wait, map, ExcludeReaders<Widths>::kToWrite);
//       ...                       // here, if section.state() is kExclusive
//     }
//
// The constructor adds FLAG to the reference word, which refuses new readers, and sleeps until
// those inside have left. The destructor takes FLAG away again. That is all: neither locks anything
// for longer. What a section is for happens inside it: a writer stores the number of its write
// section in the VMA, so that readers who are let in afterwards find the VMA write-locked; a
// detacher has given up the tree's reference, so that the word is 0 afterwards.
//
// The caller must hold the mmap lock for writing: that is why there is at most one section per mm,
// and one sleeper. (The kernel's __vma_start_exclude_readers, __vma_end_exclude_readers and struct
// vma_exclude_readers_state.)
#ifndef JACQUARD_LOCK_EXCLUDE_READERS_H_
#define JACQUARD_LOCK_EXCLUDE_READERS_H_

#include <stop_token>
#include <utility>

#include "lock/check.h"
#include "lock/rcu_wait.h"
#include "lock/refcount.h"
#include "lock/reference_word.h"
#include "lock/validator.h"
#include "lock/widths.h"

namespace jacquard::lock {

template <LockWidths Widths, LockValidator Validator = NoValidator>
class [[nodiscard]] ExcludeReaders {
 public:
  using Word = typename Widths::Word;
  using Values = ReferenceWord<Widths>;

  // What for, which is how many references remain when the readers are gone: the tree's, or none.
  enum Purpose { kToWrite, kToDetach };

  enum class State {
    // The readers are gone.
    kExclusive,
    // The VMA is detached, nobody can come in anyway: there was nothing to wait for, FLAG was not
    // set.
    kDetached,
    // A stop was requested first. FLAG is taken away again, readers go on as before.
    kKilled,
  };

  // Costs one read-modify-write if there are no readers; otherwise sleeps until they have left.
  // `map` is what the validator knows the VMA's lock by: the section is an exclusive acquisition of
  // it that may wait.
  ExcludeReaders(Refcount<Word>& references, RcuWait& writer_wait, typename Validator::Map& map,
                 Purpose purpose)
      : ExcludeReaders(references, writer_wait, map, purpose, std::stop_token()) {}

  // The same, but gives up when a stop is requested before the readers have left.
  ExcludeReaders(Refcount<Word>& references, RcuWait& writer_wait, typename Validator::Map& map,
                 Purpose purpose, const std::stop_token& stop)
      : references_(references), map_(map), purpose_(purpose), state_(Enter(writer_wait, stop)) {}

  ~ExcludeReaders() {
    if (state_ == State::kExclusive) Leave();
  }

  ExcludeReaders(const ExcludeReaders&) = delete;
  ExcludeReaders& operator=(const ExcludeReaders&) = delete;

  State state() const { return state_; }

 private:
  State Enter(RcuWait& writer_wait, const std::stop_token& stop) {
    // Relaxed inside: an increment by a reader comes before this one in the word's order, and we
    // wait for it; or between this one and Leave, and is refused; or after Leave, and acquires what
    // was done in the section.
    const Word word = references_.AddUnlessZeroRelaxed(Values::kFlag);
    if (Values::IsDetached(word)) return State::kDetached;
    JACQUARD_LOCK_CHECK(!Values::IsCorrupt(word), "readers excluded twice, or word corrupt");
    Validator::Acquire(map_, {.mode = AcquireMode::kExclusive});
    const Word target = purpose_ == kToWrite ? Values::kWriterTarget : Values::kDetacherTarget;
    // Acquire, pairs with the release of each reader that left: what it read, it read before we
    // write.
    const auto readers_are_gone = [this, target] { return references_.LoadAcquire() == target; };
    if (writer_wait.WaitUntilKillable(readers_are_gone, stop) == WaitResult::kKilled) {
      Leave();
      return State::kKilled;
    }
    return State::kExclusive;
  }

  void Leave() {
    Validator::Release(map_);
    // Release inside, pairs with the acquire of the next reader's increment: it sees what was done
    // in the section.
    const Word word = references_.SubtractRelease(Values::kFlag);
    JACQUARD_LOCK_CHECK(Values::IsDetached(word) == (purpose_ == kToDetach) && word < Values::kFlag,
                        "a reference too few or too many after readers were excluded");
  }

  Refcount<Word>& references_;
  typename Validator::Map& map_;
  const Purpose purpose_;
  const State state_;
};

}  // namespace jacquard::lock

#endif  // JACQUARD_LOCK_EXCLUDE_READERS_H_
