// Who gets a signal that is sent to the process or to a thread is decided here; sigwait() waits.
// One that would end the process ends the execution.
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <bit>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <string>

#include "sim/cancellation.h"
#include "sim/engine.h"
#include "sim/faults.h"
#include "sim/interruptions.h"
#include "sim/names.h"
#include "sim/notes.h"
#include "sim/queued_signals.h"
#include "sim/real.h"
#include "sim/signals.h"
#include "sim/sync.h"
#include "sim/unsupported.h"

namespace jacquard::sim {
namespace {

// Sent to the process, and all threads block it.
uint64_t waits_for_any = 0;

// That somebody has waited for.
uint64_t awaited = 0;

// A thread gets the signal that `call` ("kill of") has sent.
void CheckIsHandled(int signal, const char* call, uintptr_t pc) {
  if (signal == SIGABRT || !IsFatal(signal)) return;
  static std::string message;  // kept, since this stack is given up
  {
    const Backstage backstage;
    message = std::string(call) + " " + SignalName(signal) + ", which ends the process";
  }
  engine.Fail(VerdictKind::kAbort, "signal", message, {.pc = pc});
}

// `call` ("raise of") sends the signal to the running thread.
void Raise(const siginfo_t& information, const char* call, uintptr_t pc) {
  const int signal = information.si_signo;
  BeforeMaskChange();
  if (engine.Simulates() && (RealMask() & SetOf(signal)) == 0) CheckIsHandled(signal, call, pc);
  RaiseWith(information);
  if (engine.Simulates()) RefuseTooMany();
}

// To send is a step, and what was done before it happens before what who gets the signal does.
char sent_signals;
void BeginSending(uintptr_t pc) {
  RefuseTooMany();
  BeforeMaskChange();
  engine.DecisionPoint(StepKind::kSignalSend, nullptr, pc);
  engine.Release(&sent_signals);
}
// `to`: a thread, or kToProcess.
void FinishSending(int signal, uint64_t to, uintptr_t pc) {
  Finish(StepKind::kSignalSend, nullptr, to, static_cast<uint64_t>(signal), pc);
}

// Whether the thread waits for the signal, and nothing has ended the wait yet: then it gets it.
bool GivenToWaiter(SimThread& thread, const siginfo_t& information) {
  const int signal = information.si_signo;
  if (thread.wait != WaitReason::kSignal || (thread.awaited_signals & SetOf(signal)) == 0 ||
      !engine.IsBlocked(thread))
    return false;
  QueueSignal(&thread, information);
  thread.pending_signals |= SetOf(signal);
  engine.WakeAll(WaitReason::kSignal, &thread);
  return true;
}

// Whether something happens to who gets it: a handler runs, or the process ends.
bool IsNoticed(int signal) { return HasHandler(signal) || IsFatal(signal); }

// It gets the signal when it runs again: at once if it can run, or waits for a file.
void Give(SimThread& thread, const siginfo_t& information) {
  const int signal = information.si_signo;
  if ((thread.signal_mask & SetOf(signal)) == 0 && !IsNoticed(signal)) return;
  QueueSignal(&thread, information);
  if (thread.wait == WaitReason::kDescriptor && engine.IsBlocked(thread) &&
      Interrupt(thread, signal))
    return AcquireSent(thread);
  thread.pending_signals |= SetOf(signal);
  engine.WakeIfSpinning(thread);
}

// Those of `set` that have been sent to the process, and wait for any thread.
uint64_t SentToAll(uint64_t set) {
  if (waits_for_any != 0) engine.Acquire(&sent_signals);
  return waits_for_any & set;
}

// To any thread that waits for it or does not block it: the running one, if possible. `call`: "kill
// of".
void SendToProcess(const siginfo_t& information, const char* call, uintptr_t pc) {
  const int signal = information.si_signo;
  BeginSending(pc);
  FinishSending(signal, kToProcess, pc);
  const uint64_t bit = SetOf(signal);
  for (int i = 0; i < engine.thread_count(); ++i) {
    if (GivenToWaiter(engine.thread(i), information)) return;
  }
  if ((RealMask() & bit) == 0) return Raise(information, call, pc);
  SimThread* receiver = nullptr;
  for (int i = 0; i < engine.thread_count(); ++i) {
    SimThread& thread = engine.thread(i);
    if (engine.HasEnded(thread) || (thread.signal_mask & bit) != 0 || &thread == engine.current)
      continue;
    CheckIsHandled(signal, call, pc);
    // Rather to one that can run: in the middle of a wait there is no handler.
    if (receiver == nullptr || engine.IsBlocked(*receiver)) receiver = &thread;
  }
  if (receiver != nullptr) return Give(*receiver, information);
  QueueSignal(nullptr, information);
  waits_for_any |= bit;
}

// Returns an error. `call`: "pthread_kill of".
int SendToThread(pthread_t handle, const siginfo_t& information, const char* call, uintptr_t pc) {
  const int signal = information.si_signo;
  if (signal != 0 && !IsSignalNumber(signal)) return EINVAL;
  BeginSending(pc);
  SimThread* const thread = engine.FindThread(handle);
  if (thread == nullptr) Unsupported("a signal to somebody else's thread");
  FinishSending(signal, static_cast<uint64_t>(thread->id), pc);
  const bool has_ended = engine.HasEnded(*thread);
  if (has_ended) {
    NoteInTrace([thread] { return "thread " + std::to_string(thread->id) + " has ended"; });
  }
  if (signal == 0 || has_ended || GivenToWaiter(*thread, information)) return 0;
  if (thread == engine.current) {
    Raise(information, call, pc);
    return 0;
  }
  if ((thread->signal_mask & SetOf(signal)) == 0) CheckIsHandled(signal, call, pc);
  Give(*thread, information);
  return 0;
}

// One that has been sent to the process, and waits for any thread.
siginfo_t TakeForAny(int signal) {
  siginfo_t information = {};
  TakeQueued(nullptr, signal, information);
  if (!IsQueued(nullptr, signal)) waits_for_any &= ~SetOf(signal);
  return information;
}

// The running thread is about to block only `mask`: it gets what has waited for that.
void CheckComingAreHandled(uint64_t mask, uintptr_t pc) {
  uint64_t pending = 0;
  RawSyscall(SYS_rt_sigpending, reinterpret_cast<uint64_t>(&pending), sizeof(pending));
  for (uint64_t left = pending & RealMask() & ~mask; left != 0; left &= left - 1)
    CheckIsHandled(std::countr_zero(left) + 1, "raise of", pc);
}

// Takes one of `set` that waits for the running thread, or for any; 0 if there is none.
// `information` may be null.
int TakePending(uint64_t set, siginfo_t* information) {
  // If it has not been switched from in the meantime.
  RaisePending(*engine.current);
  const timespec no_time = {};
  const int64_t signal = RawSyscall(SYS_rt_sigtimedwait, reinterpret_cast<uint64_t>(&set),
                                    reinterpret_cast<uint64_t>(information),
                                    reinterpret_cast<uint64_t>(&no_time), sizeof(set));
  if (signal > 0) return static_cast<int>(signal);
  const uint64_t for_any = waits_for_any & set;
  if (for_any == 0) return 0;
  const siginfo_t taken = TakeForAny(std::countr_zero(for_any) + 1);
  if (information != nullptr) *information = taken;
  return taken.si_signo;
}

// What sigwaitinfo() tells: from raise() or kill() is the same to the C library.
void HideThread(siginfo_t* information) {
  if (information != nullptr && information->si_code == SI_TKILL) information->si_code = SI_USER;
}

// Waits until there is one of `wanted`, and takes it; 0: the time is over. `information` may be
// null.
int AwaitSignal(uint64_t wanted, siginfo_t* information, uint64_t deadline, uintptr_t pc) {
  TestCancel(pc);
  BeforeMaskChange();
  engine.DecisionPoint(StepKind::kSignalWait, nullptr, pc);
  SimThread& me = *engine.current;
  int signal = 0;
  awaited |= wanted;
  const uint64_t blocked = RealMask();
  SetRealMask(blocked | wanted);  // no handler gets it
  while ((signal = TakePending(wanted, information)) == 0) {
    if (deadline <= engine.clock.now()) break;
    me.awaited_signals = wanted;
    engine.Block(WaitReason::kSignal, &me, pc, deadline);
    if (me.timed_out || me.wait_is_cancelled) break;
  }
  CheckComingAreHandled(blocked, pc);
  SetRealMask(blocked);
  AfterMaskChange(pc);
  LeaveIfCancelled(me, pc);
  engine.Acquire(&sent_signals);
  Finish(StepKind::kSignalWait, nullptr, 0, static_cast<uint64_t>(signal), pc);
  return signal;
}

// What sigsuspend() does: waits, while it blocks `mask`, for a signal whose handler has run then.
int Suspend(uint64_t mask, uintptr_t pc) {
  uint64_t wanted = 0;
  for (int signal = 1; signal < NSIG; ++signal) {
    if (((mask | kFaults) & SetOf(signal)) == 0 && IsNoticed(signal)) wanted |= SetOf(signal);
  }
  siginfo_t information = {};
  AwaitSignal(wanted, &information, Engine::kNoDeadline, pc);
  const uint64_t blocked = SetRealMask(mask & ~kFaults);
  Raise(information, "kill of", pc);
  SetRealMask(blocked);
  errno = EINTR;
  return -1;
}

}  // namespace

void BeforeUnblock(int how, const sigset_t* set, uintptr_t pc) {
  if (set == nullptr || how == SIG_BLOCK || !engine.Simulates()) return;
  const uint64_t bits = ToBits(*set);
  CheckComingAreHandled(how == SIG_UNBLOCK ? RealMask() & ~bits : bits, pc);
}

void AfterMaskChange(uintptr_t pc) {
  if (waits_for_any == 0 || !engine.Simulates()) return;
  while (const uint64_t set = waits_for_any & ~RealMask())
    Raise(TakeForAny(std::countr_zero(set) + 1), "kill of", pc);
}

bool GiveToWaiter(const siginfo_t& information) {
  engine.UseSignalMasks();
  for (int i = 0; i < engine.thread_count(); ++i) {
    if (GivenToWaiter(engine.thread(i), information)) return true;
  }
  return false;
}

void RaiseBrokenPipe(uintptr_t pc) {
  Raise(InformationOf(SIGPIPE, SI_USER), "a write to where nobody reads:", pc);
}

void AcquireSent(const SimThread& thread) { engine.AcquireFor(thread, &sent_signals); }

void Deliver(int signal) {
  siginfo_t information;
  while (TakeQueued(engine.current, signal, information)) {
    NoteInTrace(
        [signal] { return "handles " + SignalName(signal) + " in the middle of its wait"; });
    Raise(information, "a wait is interrupted by", 0);
  }
}

bool HasBeenAwaited(int signal) { return signal != 0 && (awaited & SetOf(signal)) != 0; }

void DropSentSignals() {
  waits_for_any = awaited = 0;
  ForgetAllQueued();
}

}  // namespace jacquard::sim

using jacquard::sim::AwaitSignal;
using jacquard::sim::Engine;
using jacquard::sim::engine;
using jacquard::sim::InformationOf;
using jacquard::sim::IsSignalNumber;
using jacquard::sim::Raise;
using jacquard::sim::RealMask;
using jacquard::sim::SendToProcess;
using jacquard::sim::SendToThread;
using jacquard::sim::Suspend;
using jacquard::sim::ToBits;

extern "C" {

// Each under a name of its own, not as the header declares it: a handler that runs before it
// returns may call pthread_exit, which unwinds.
int jacquard_raise(int signal) asm("raise");
int jacquard_raise(int signal) {
  if (!engine.Simulates() || !IsSignalNumber(signal)) {
    jacquard::sim::BeforeMaskChange();
    return JACQUARD_REAL(raise)(signal);
  }
  Raise(InformationOf(signal, SI_TKILL), "raise of", JACQUARD_CALLER);
  return 0;
}

int jacquard_kill(pid_t process, int signal) asm("kill");
int jacquard_kill(pid_t process, int signal) {
  if (!engine.Simulates() || process != getpid() || !IsSignalNumber(signal))
    return JACQUARD_REAL(kill)(process, signal);
  SendToProcess(InformationOf(signal, SI_USER), "kill of", JACQUARD_CALLER);
  return 0;
}

int jacquard_sigqueue(pid_t process, int signal, sigval value) asm("sigqueue");
int jacquard_sigqueue(pid_t process, int signal, sigval value) {
  if (!engine.Simulates() || process != getpid() || !IsSignalNumber(signal))
    return JACQUARD_REAL(sigqueue)(process, signal, value);
  SendToProcess(InformationOf(signal, SI_QUEUE, value), "sigqueue of", JACQUARD_CALLER);
  return 0;
}

int jacquard_pthread_kill(pthread_t thread, int signal) asm("pthread_kill");
int jacquard_pthread_kill(pthread_t thread, int signal) {
  if (!engine.Simulates()) return JACQUARD_REAL(pthread_kill)(thread, signal);
  return SendToThread(thread, InformationOf(signal, SI_TKILL), "pthread_kill of", JACQUARD_CALLER);
}

int jacquard_pthread_sigqueue(pthread_t thread, int signal, sigval value) asm("pthread_sigqueue");
int jacquard_pthread_sigqueue(pthread_t thread, int signal, sigval value) {
  if (!engine.Simulates()) return JACQUARD_REAL(pthread_sigqueue)(thread, signal, value);
  return SendToThread(thread, InformationOf(signal, SI_QUEUE, value), "pthread_sigqueue of",
                      JACQUARD_CALLER);
}

int sigsuspend(const sigset_t* set) {
  if (!engine.Simulates()) return JACQUARD_REAL(sigsuspend)(set);
  return Suspend(ToBits(*set), JACQUARD_CALLER);
}

int pause() {
  if (!engine.Simulates()) return JACQUARD_REAL(pause)();
  return Suspend(RealMask(), JACQUARD_CALLER);
}

int sigwait(const sigset_t* set, int* signal) {
  if (!engine.Simulates()) return JACQUARD_REAL(sigwait)(set, signal);
  *signal = AwaitSignal(ToBits(*set), nullptr, Engine::kNoDeadline, JACQUARD_CALLER);
  return 0;
}

int sigwaitinfo(const sigset_t* set, siginfo_t* information) {
  if (!engine.Simulates()) return JACQUARD_REAL(sigwaitinfo)(set, information);
  const int signal = AwaitSignal(ToBits(*set), information, Engine::kNoDeadline, JACQUARD_CALLER);
  jacquard::sim::HideThread(information);
  return signal;
}

int sigpending(sigset_t* set) noexcept {
  const int result = JACQUARD_REAL(sigpending)(set);
  if (result != 0 || !engine.Simulates()) return result;
  const uint64_t waiting =
      jacquard::sim::ToBits(*set) | jacquard::sim::SentToAll(jacquard::sim::RealMask());
  std::memcpy(set, &waiting, sizeof(waiting));
  return result;
}

int sigtimedwait(const sigset_t* set, siginfo_t* information, const timespec* time) {
  if (!engine.Simulates()) return JACQUARD_REAL(sigtimedwait)(set, information, time);
  const bool is_valid = time == nullptr || (jacquard::sim::IsValid(*time) && time->tv_sec >= 0);
  const uint64_t deadline = time != nullptr ? engine.clock.now() + jacquard::sim::Nanoseconds(*time)
                                            : Engine::kNoDeadline;
  const int signal =
      is_valid ? AwaitSignal(ToBits(*set), information, deadline, JACQUARD_CALLER) : 0;
  if (signal != 0) {
    jacquard::sim::HideThread(information);
    return signal;
  }
  errno = is_valid ? EAGAIN : EINVAL;
  return -1;
}

}  // extern "C"
