// Signals, as what the runtime decides of them: what each thread blocks, where its handlers run
// (signals.cc), and who gets a signal that is sent (sent_signals.cc).
//
// None of this is for real threads other than the executing one.
#ifndef JACQUARD_SIM_SIGNALS_H_
#define JACQUARD_SIM_SIGNALS_H_

#include <signal.h>

#include <cstdint>
#include <cstring>
#include <string>

#include "sim/thread.h"

namespace jacquard::sim {

// What a thread that waits has to know behind its wait is as it was before a handler, which may
// wait as well.
class KeptWait {
 public:
  explicit KeptWait(SimThread& thread)
      : thread_(thread),
        mutex_(thread.wait_mutex),
        other_(thread.wait_thread),
        timed_out_(thread.timed_out),
        woken_spuriously_(thread.woken_spuriously),
        wait_is_cancelled_(thread.wait_is_cancelled) {}
  ~KeptWait() {
    thread_.wait_mutex = mutex_;
    thread_.wait_thread = other_;
    thread_.timed_out = timed_out_;
    thread_.woken_spuriously = woken_spuriously_;
    thread_.wait_is_cancelled = wait_is_cancelled_;
  }
  KeptWait(const KeptWait&) = delete;
  KeptWait& operator=(const KeptWait&) = delete;

 private:
  SimThread& thread_;
  const void* mutex_;
  int other_;
  bool timed_out_;
  bool woken_spuriously_;
  bool wait_is_cancelled_;
};

constexpr bool IsSignalNumber(int signal) { return signal > 0 && signal < NSIG; }
// A set of signals, as the kernel has it.
constexpr uint64_t SetOf(int signal) { return uint64_t{1} << (signal - 1); }
// Those of the processor's, by which the runtime gives threads their storage: they stay unblocked.
inline constexpr uint64_t kFaults = SetOf(SIGSEGV) | SetOf(SIGBUS) | SetOf(SIGFPE) | SetOf(SIGILL);
inline uint64_t ToBits(const sigset_t& set) {
  uint64_t bits = 0;
  std::memcpy(&bits, &set, sizeof(bits));
  return bits;
}

// What the real thread blocks. Each costs a system call.
uint64_t RealMask();
// It blocks `to` from now on; returns what it has blocked.
uint64_t SetRealMask(uint64_t to);

// The running thread may change what it blocks, or gets a signal, whose handler blocks that: from
// now on threads' masks are their own.
void BeforeMaskChange();
// What waits for `thread`, the running one, comes now.
void RaisePending(SimThread& thread);

// The running thread is about to let another one run; another one runs now; a new one begins with
// what the running one blocks.
void LeaveSignals(SimThread& from);
void EnterSignals(SimThread& to);
// The running thread, which has not been switched to since, gets what has been sent to it.
void HandlePending(SimThread& thread);
void InheritSignals(SimThread& thread);
// The signals that the thread blocks, once masks are used.
uint64_t BlockedBy(const SimThread& thread);
// Whether somebody handles the signal, and whether calls that wait go on behind its handler. A
// system call each.
bool HasHandler(int signal);
bool RestartsCalls(int signal);
// Whether the execution has set a handler for the signal, or for any. System calls.
bool HandlesSignal(int signal);
bool HandlesSignals();
// The same for one that threads send each other, which ends the process by no convention.
bool HandlesSignalOfThreads();
// Undoes what the execution has done to signals.
void RestoreSignals();

// The running thread is about to block other signals, as sigprocmask() does with `how` and `set`:
// one that waits for it and would end the process is reported.
void BeforeUnblock(int how, const sigset_t* set, uintptr_t pc);
// It has done so: what was sent to the process and is blocked by all others comes.
void AfterMaskChange(uintptr_t pc);
// Whether a thread has waited for the signal in this execution.
bool HasBeenAwaited(int signal);
// Whether a thread waits for the signal, and gets it.
bool GiveToWaiter(const siginfo_t& information);
// The thread gets what has been sent to it from now on: that comes after what the senders had done.
void AcquireSent(const SimThread& thread);
// The running thread gets the signal that has interrupted its wait, unless it has had it in the
// meantime: its handler runs.
void Deliver(int signal);
// The running thread, at `pc`, has written to where nobody reads: it gets SIGPIPE.
void RaiseBrokenPipe(uintptr_t pc);
// All that waits is gone.
void DropSentSignals();

}  // namespace jacquard::sim

#endif  // JACQUARD_SIM_SIGNALS_H_
