// Spinning threads: found out, disabled until what they read is written, and so cost nothing.
//
// A thread that comes back to the same call of an atomic operation in the very same state
// (callee-saved registers, live stack), without having written anything in between, will do so for
// ever unless somebody else changes what it read. (Where functions have returned in between, and
// were called again, the turn before must look like this one at the call with the fewest functions
// going on: the frames of the others are made anew.) The rule is exact for state in registers, on
// the stack and in memory that it reads atomically. What it cannot see (an uninstrumented counter,
// a plain read of what others write) is caught before a deadlock is declared: then every spinning
// thread has to go round its loop again, thousands of times.
#ifndef JACQUARD_SIM_SPIN_H_
#define JACQUARD_SIM_SPIN_H_

#include <cstddef>
#include <cstdint>

namespace jacquard::sim {

// The caller's registers at the entry of an atomic hook: what the called function must preserve,
// and the stack pointer, where the return address lies. Written by hooks.S if the caller is on a
// simulated thread's stack: real threads may run beside an execution.
struct EntryRegisters {
  uint64_t rbx, rbp, r12, r13, r14, r15, rsp;
  bool operator==(const EntryRegisters&) const = default;
};
extern "C" [[gnu::visibility("hidden")]] constinit EntryRegisters jacquard_entry_registers;

// Keeps them for the running thread while others run, if that is `needed`.
class KeepEntryRegisters {
 public:
  explicit KeepEntryRegisters(bool needed) : needed_(needed) {
    if (needed_) [[unlikely]]
      kept_ = jacquard_entry_registers;
  }
  ~KeepEntryRegisters() {
    if (needed_) [[unlikely]]
      jacquard_entry_registers = kept_;
  }
  KeepEntryRegisters(const KeepEntryRegisters&) = delete;
  KeepEntryRegisters& operator=(const KeepEntryRegisters&) = delete;

 private:
  const bool needed_;
  EntryRegisters kept_;  // if needed
};

// One thread's recent past, as far as spinning is concerned.
class SpinDetector {
 public:
  // What a thread read in its loop.
  struct Read {
    const void* address;
    uint8_t size;
  };
  static constexpr int kMaxReads = 32;
  static constexpr size_t kMaxStack = 4096;  // a deeper stack is not taken for spinning

  // Called at the entry of every atomic operation that `pc` calls. True if it may be a turn of a
  // loop: then BackAgain must be asked.
  bool MayBeBackAgain(uintptr_t pc) {
    NoteCall();
    const bool may_be = ++reads_since_reset_ >= look_at_ || pc == look_pc_;
    look_pc_ = armed_ ? look_pc_ : pc;
    return may_be;
  }

  // The runtime is called, by an atomic operation or in another way that hooks.S has entered.
  void NoteCall() {
    if (armed_ && jacquard_entry_registers.rsp >= outermost_.rsp) [[unlikely]]
      NoteOutermost();
  }

  // The operation is one on `address`. True if the thread is where it was before, in the same
  // state, and what it has read since has not changed.
  bool BackAgain(uintptr_t pc, const void* address, uintptr_t stack_top);

  // The thread has read the newest value of `size` bytes at `address`.
  void OnRead(const void* address, uint8_t size, uint64_t value) {
    if (armed_) [[unlikely]]
      AddRead(address, size, value);
  }

  // The thread has read an older value of `size` bytes at `address`.
  void OnStaleRead(const void* address, uint8_t size) {
    if (armed_) [[unlikely]]
      AddStaleRead(address, size);
  }

  // The thread has changed something that others or itself can see, or has done what a spinning
  // thread does not.
  void Reset() {
    look_pc_ = 0;
    reads_since_reset_ = 0;
    look_at_ = kFirstArm;
    other_states_ = 0;
    armed_ = false;
  }

  // Another thread has written to this one's stack: no turn that has begun is complete. Whether the
  // value is another one must not matter, as the one before may be of an earlier execution.
  void BeginAnew() {
    armed_ = false;
    look_pc_ = 0;
  }

  int read_count() const { return read_count_; }
  Read read(int i) const { return {reads_[i].address, reads_[i].size}; }
  // After BackAgain has said true: where the thread has read older values since it was there
  // before. If anywhere, it will not go on like this for ever.
  int stale_read_count() const { return stale_read_count_; }
  Read stale_read(int i) const { return stale_reads_[i]; }

 private:
  static constexpr uint32_t kFirstArm = 8;
  static constexpr uint32_t kOtherStates = 4;
  static constexpr int kMaxStaleReads = 8;
  struct ReadValue {
    const void* address;
    uint64_t value;
    uint8_t size;
  };

  // Of the calls in a turn of the loop that with the fewest frames below it: it has the loop's
  // state in its registers and on the stack above. Frames below come and go in the turn; where the
  // program does not write to them lies what the runtime has left there, which says nothing.
  struct Outermost {
    uintptr_t rsp = 0;   // 0: there was none
    uint64_t state = 0;  // a hash
    bool operator==(const Outermost&) const = default;
  };

  void NoteOutermost();
  // Takes the present state as the one to come back to.
  void Arm(uintptr_t pc, const void* address, uintptr_t stack_top);
  // As far as the stack from `bottom` on tells.
  bool SameState(uintptr_t bottom) const;
  void AddRead(const void* address, uint8_t size, uint64_t value);
  void AddStaleRead(const void* address, uint8_t size);

  // A closer look is due at a call from `look_pc_` (the anchor's when armed, else the last one), or
  // after so many reads.
  uintptr_t look_pc_ = 0;
  uint32_t reads_since_reset_ = 0;
  uint32_t look_at_ = kFirstArm;
  uint32_t other_states_ = 0;
  bool armed_ = false;
  const void* anchor_address_ = nullptr;
  Outermost outermost_;     // since the anchor was passed last
  Outermost of_last_turn_;  // before that
  EntryRegisters anchor_ = {};
  size_t stack_size_ = 0;
  int read_count_ = 0;  // kMaxReads + 1: too many, not certain
  int stale_read_count_ = 0;
  Read stale_reads_[kMaxStaleReads] = {};
  ReadValue reads_[kMaxReads] = {};
  uint64_t stack_[kMaxStack / 8] = {};
};

// The low `size` bytes (at most 8) at `address`.
uint64_t ReadBytes(const void* address, uint8_t size);

}  // namespace jacquard::sim

#endif  // JACQUARD_SIM_SPIN_H_
