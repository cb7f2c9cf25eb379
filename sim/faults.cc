// The handler of a signal only takes notes: it lets the thread return to a function on a stack of
// its own, which then ends the execution as any other finding does. So nothing is left behind by a
// handler that never returns, and an overflown stack does no harm.
#include "sim/faults.h"

#include <cxxabi.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>
#include <unwind.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <iterator>
#include <string>
#include <string_view>
#include <typeinfo>

#include "sim/caller.h"
#include "sim/engine.h"
#include "sim/fiber.h"
#include "sim/frames.h"
#include "sim/guarded_stack.h"
#include "sim/message.h"
#include "sim/real.h"
#include "sim/real_blocks.h"
#include "sim/signals.h"
#include "sim/symbolize.h"

namespace jacquard::sim {
namespace {

constexpr int kSignals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
constexpr int kSignalCount = sizeof(kSignals) / sizeof(kSignals[0]);
constexpr size_t kStackBytes = 256 << 10;
constexpr int kMaxFrames = 32;

struct Fault {
  int signal;
  int code;
  uintptr_t address;
  bool writes;
  bool calls;  // what is no code
  bool on_guard;
  int frame_count;
  uintptr_t frames[kMaxFrames];  // return addresses, innermost first
};

Fault fault;
bool handling = false;
bool caught = false;
char* stack = nullptr;
struct sigaction previous[kSignalCount];
std::terminate_handler previous_terminate = nullptr;

// Which of them `signal` is; -1: none.
int IndexOf(int signal) {
  const auto* const found = std::find(std::begin(kSignals), std::end(kSignals), signal);
  return found == std::end(kSignals) ? -1 : static_cast<int>(found - std::begin(kSignals));
}

// Which of them the program has handlers of its own for in this execution, and the last such
// action, as the program has it.
bool handles_itself[kSignalCount];
struct sigaction own[kSignalCount];

void CallHandler(const struct sigaction& action, int signal, siginfo_t* info, void* context) {
  if ((action.sa_flags & SA_SIGINFO) != 0) {
    action.sa_sigaction(signal, info, context);
  } else {
    action.sa_handler(signal);
  }
}

// Where the thread was, as far as frame pointers tell; only its own stack is read.
void NoteFrames(const greg_t* registers) {
  const SimThread& me = *engine.current;
  const uintptr_t top = me.stack_bottom + kStackSize;
  const auto pc = static_cast<uintptr_t>(registers[REG_RIP]);
  const auto stack_pointer = static_cast<uintptr_t>(registers[REG_RSP]);
  fault.frame_count = 0;
  // As if it were a return address.
  fault.frames[fault.frame_count++] = pc + 1;
  // A call to nowhere, and a hook without a frame, have their caller on top of the stack.
  if (stack_pointer >= me.stack_bottom && stack_pointer < top) {
    const auto on_top = *reinterpret_cast<const uintptr_t*>(stack_pointer);
    if (FromProgram(reinterpret_cast<const void*>(on_top)))
      fault.frames[fault.frame_count++] = on_top;
  }
  VisitFrames(static_cast<uintptr_t>(registers[REG_RBP]), me.stack_bottom, top,
              [](uintptr_t /*frame*/, uintptr_t return_address) {
                fault.frames[fault.frame_count++] = return_address;
                return fault.frame_count < kMaxFrames;
              });
}

void NoteFault(const siginfo_t& info, const greg_t* registers) {
  constexpr greg_t kWriteBit = 2;  // of the processor's error code for a page fault
  fault.signal = info.si_signo;
  fault.code = info.si_code;
  fault.address = reinterpret_cast<uintptr_t>(info.si_addr);
  fault.writes = (registers[REG_ERR] & kWriteBit) != 0;
  fault.calls = static_cast<uintptr_t>(registers[REG_RIP]) == fault.address;
  const uintptr_t bottom = engine.current->stack_bottom;
  fault.on_guard = fault.address < bottom && fault.address >= bottom - kStackGuard;
  NoteFrames(registers);
}

// The innermost place in the program's own code.
uintptr_t PlaceInProgram() {
  for (int i = 0; i < fault.frame_count; ++i) {
    if (!FromProgram(reinterpret_cast<const void*>(fault.frames[i] - 1))) continue;
    for (const SourceFrame& frame : Symbolize(fault.frames[i])) {
      if (!IsLibraryFrame(frame) && !frame.file.empty()) return fault.frames[i];
    }
  }
  return 0;
}

struct Words {
  const char* rule;
  std::string message;
};

Words Describe() {
  char access[100];
  std::snprintf(access, sizeof(access), "the thread %s address %#zx",
                fault.calls    ? "calls"
                : fault.writes ? "writes to"
                               : "reads",
                fault.address);
  constexpr uintptr_t kNearNull = 64 << 10;
  if (fault.signal != SIGABRT && fault.code <= 0) {
    return {"signal",
            "raise of SIG" + std::string(sigabbrev_np(fault.signal)) + ", which ends the process"};
  }
  switch (fault.signal) {
    case SIGFPE:
      if (fault.code == FPE_INTDIV)
        return {"division by zero", "an integer division by zero, or one that overflows"};
      return {"arithmetic fault", "the processor has refused an arithmetic operation"};
    case SIGILL:
      return {"illegal instruction",
              "an instruction that the processor does not have, or a trap of the compiler, as "
              "behind what must not be reached"};
    case SIGABRT:
      return {"abort",
              "a library has ended the program, and has said why on standard error, or the program "
              "has raised SIGABRT"};
    case SIGBUS:
      return {"bus error", std::string(access) + ", which cannot be accessed"};
    default:
      break;
  }
  if (fault.code == SI_KERNEL)
    return {"segmentation fault", "the thread accesses an address that cannot be one"};
  if (fault.address < kNearNull) return {"null dereference", access};
  return {"segmentation fault",
          std::string(access) + (fault.code == SEGV_ACCERR ? ", which does not allow that"
                                                           : ", where there is no memory")};
}

// On the stack for it, with the signal mask that the thread had.
[[noreturn]] void EndExecution() {
  const Backstage backstage;
  Blame blame;
  if (engine.recorder != nullptr) blame.pc = PlaceInProgram();
  handling = false;
  if (fault.on_guard) ReportStackOverflow(blame.pc);
  const Words words = Describe();
  const bool is_abort = fault.signal == SIGABRT || fault.code <= 0;
  const VerdictKind kind = is_abort ? VerdictKind::kAbort : VerdictKind::kCrash;
  engine.Fail(kind, words.rule, words.message, blame);
}

// The C library's own abort(): where it has found a stack smashed, or a buffer overflown in a
// function that checks it (_FORTIFY_SOURCE). Or a signal that the program has raised while it
// blocked that, as in the handler of a fault. Not with the heap's locks held: the search could not
// go on.
bool IsRaised(const siginfo_t& info) {
  return info.si_pid == getpid() && engine.hooks_on && !RealHeapIsBusy();
}

void Forward(int signal, siginfo_t* info, void* context) {
  for (int i = 0; i < kSignalCount; ++i) {
    if (kSignals[i] != signal) continue;
    const struct sigaction& old = previous[i];
    if (old.sa_handler == SIG_IGN) return;
    if (old.sa_handler != SIG_DFL) {
      // As if it had been called at once.
      sigset_t mask = static_cast<ucontext_t*>(context)->uc_sigmask;
      sigorset(&mask, &mask, &old.sa_mask);
      if ((old.sa_flags & SA_NODEFER) == 0) sigaddset(&mask, signal);
      SetRealMask(ToBits(mask));
      return CallHandler(old, signal, info, context);
    }
    // The fault, or the sender, comes again.
    JACQUARD_REAL(sigaction)(signal, &old, nullptr);
    if (info->si_code <= 0) raise(signal);
  }
}

void OnFault(int signal, siginfo_t* info, void* context) {
  // First of all: what follows may use thread-local storage itself.
  const bool has_address = info->si_code > 0 && signal != SIGABRT;
  if (engine.GiveStorage(has_address ? reinterpret_cast<uintptr_t>(info->si_addr) : 0)) return;
  // Sent by somebody: not the program's doing.
  const bool sent = info->si_code <= 0 && !IsRaised(*info);
  if (sent || handling || !engine.executing || !engine.OnExecutingThread())
    return Forward(signal, info, context);
  handling = true;
  greg_t* const registers = static_cast<ucontext_t*>(context)->uc_mcontext.gregs;
  NoteFault(*info, registers);
  // As after a call: the stack pointer is 8 below a multiple of 16.
  registers[REG_RSP] = reinterpret_cast<greg_t>(stack + kStackBytes - sizeof(uintptr_t));
  registers[REG_RIP] = reinterpret_cast<greg_t>(&EndExecution);
  registers[REG_RBP] = 0;
  constexpr greg_t kDirectionFlag = 1 << 10;
  registers[REG_EFL] &= ~kDirectionFlag;
}

// Meanwhile all signals are blocked: the handler of another might want thread-local storage before
// it is there, and that fault would end the process.
struct sigaction FaultAction() {
  struct sigaction action = {};
  action.sa_sigaction = OnFault;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  sigfillset(&action.sa_mask);
  return action;
}

// By the program's handler. The kernel blocks the signal meanwhile, which is nothing to the threads
// that run in between: a fault of theirs would end the process then.
void Handle(int signal, siginfo_t* info, void* context) {
  const struct sigaction& of_program = own[IndexOf(signal)];
  if (engine.OnExecutingThread()) engine.UseSignalMasks();
  if ((of_program.sa_flags & SA_RESETHAND) != 0) {
    // The next fault is caught again.
    struct sigaction action = FaultAction();
    JACQUARD_REAL(sigaction)(signal, &action, nullptr);
  }
  CallHandler(of_program, signal, info, context);
}

// "uncaught exception std::bad_alloc": exceptions of other types are other bugs.
std::string_view RuleOfUncaught(const std::type_info& type) {
  static std::string rule;  // kept, since this stack is given up
  const Backstage backstage;
  char* const name = abi::__cxa_demangle(type.name(), nullptr, nullptr, nullptr);
  rule = std::string("uncaught exception ") + (name != nullptr ? name : type.name());
  free(name);
  return rule;
}

void OnTerminate() {
  if (!engine.executing || !engine.OnExecutingThread()) previous_terminate();
  const Blame blame = {.pc = CallOfProgram()};
  const std::type_info* const type = abi::__cxa_current_exception_type();
  if (type == nullptr) {
    engine.Fail(VerdictKind::kAbort, "std::terminate",
                "called without an exception, as where a std::thread is destroyed that can still "
                "be joined, or a pure virtual function is called (the C++ library says so)",
                blame);
  }
  try {
    throw;
  } catch (const std::exception& exception) {
    engine.Fail(VerdictKind::kException, RuleOfUncaught(*type), exception.what(), blame);
  } catch (...) {
    engine.Fail(VerdictKind::kException, RuleOfUncaught(*type), "not derived from std::exception",
                blame);
  }
}

// The innermost handler of a signal that the running thread is in: the kernel has put the context
// that it interrupts where the handler's return address has been.
struct Handler {
  uintptr_t below;  // the stack pointer of the frame that was visited last
  const ucontext_t* context;
};

_Unwind_Reason_Code StopAtHandler(_Unwind_Context* context, void* found) {
  auto& handler = *static_cast<Handler*>(found);
  int is_interrupted = 0;
  _Unwind_GetIPInfo(context, &is_interrupted);
  if (is_interrupted != 0) {
    handler.context = reinterpret_cast<const ucontext_t*>(handler.below);
    return _URC_END_OF_STACK;
  }
  handler.below = _Unwind_GetCFA(context);
  return _URC_NO_REASON;
}

// Null: it is in none. Costs microseconds.
const ucontext_t* InnermostHandler() {
  Handler handler = {};
  _Unwind_Backtrace(StopAtHandler, &handler);
  return handler.context;
}

_Unwind_Reason_Code StopInProgram(_Unwind_Context* context, void* place) {
  const uintptr_t pc = _Unwind_GetIP(context);
  const auto* const code = reinterpret_cast<const void*>(pc);
  if (!FromProgram(code) || FromRuntime(code)) return _URC_NO_REASON;
  *static_cast<uintptr_t*>(place) = pc;
  return _URC_END_OF_STACK;
}

}  // namespace

bool ChangesAction(int signal, struct sigaction& action) {
  const int index = IndexOf(signal);
  if (!caught || index < 0 || !engine.OnExecutingThread()) return false;
  if (action.sa_handler == SIG_IGN) return false;
  if (action.sa_handler == SIG_DFL || action.sa_sigaction == OnFault) {
    action = FaultAction();
    return true;
  }
  handles_itself[index] = true;
  own[index] = action;
  action.sa_sigaction = Handle;
  action.sa_flags &= ~static_cast<int>(SA_RESETHAND);
  action.sa_flags |= SA_SIGINFO;  // also for FailIfInHandlerOfFault
  return true;
}

void HideCatching(int signal, struct sigaction& action) {
  const int index = IndexOf(signal);
  if (!caught || index < 0 || (action.sa_flags & SA_SIGINFO) == 0 || !engine.OnExecutingThread())
    return;
  if (action.sa_sigaction == OnFault) {
    action = previous[index];
  } else if (action.sa_sigaction == Handle || action.sa_sigaction == own[index].sa_sigaction) {
    action = own[index];
  }
}

void ForgetHandlersOfFaults() {
  std::fill(std::begin(handles_itself), std::end(handles_itself), false);
}

bool IsInHandler() { return InnermostHandler() != nullptr; }

void FailIfInHandlerOfFault() {
  if (std::find(std::begin(handles_itself), std::end(handles_itself), true) ==
      std::end(handles_itself))
    return;
  const ucontext_t* const interrupted = InnermostHandler();
  if (interrupted == nullptr) return;
  // The kernel's context ends behind the first word of the mask; what the signal is stands there.
  constexpr size_t kContextSize = offsetof(ucontext_t, uc_sigmask) + sizeof(uint64_t);
  const auto& info = *reinterpret_cast<const siginfo_t*>(
      reinterpret_cast<const char*>(interrupted) + kContextSize);
  // Other handlers may be told nothing, and what is there is old: only of what the program handles
  // itself can it be in the handler.
  const int index = IndexOf(info.si_signo);
  if (index < 0 || !handles_itself[index] || info.si_signo == SIGABRT || info.si_code <= 0) return;
  NoteFault(info, interrupted->uc_mcontext.gregs);
  RawSyscall(SYS_rt_sigprocmask, SIG_SETMASK, reinterpret_cast<uint64_t>(&interrupted->uc_sigmask),
             0, sizeof(uint64_t));
  // The handler may run on a small stack.
  asm volatile(
      "mov %0, %%rsp\n"
      "xor %%ebp, %%ebp\n"
      "call *%1\n"
      :
      : "r"(stack + kStackBytes), "r"(&EndExecution)
      : "memory");
  __builtin_unreachable();
}

uintptr_t CallOfProgram() {
  uintptr_t place = 0;
  _Unwind_Backtrace(StopInProgram, &place);
  return place;
}

void ReportStackOverflow(uintptr_t pc) {
  static std::string message;  // kept, since this stack is given up
  const size_t wanted = engine.current->stack_wanted;
  const bool is_for_more = wanted > kStackSize;
  {
    const Backstage backstage;
    const auto mib = [](size_t bytes) { return std::to_string(bytes >> 20) + " MiB"; };
    message = "the thread has used up its stack of " + mib(kStackSize);
    if (is_for_more) message += ", and has been created to have one of " + mib(wanted);
  }
  if (is_for_more) engine.Fail(VerdictKind::kUnsupported, "large stack", message, {.pc = pc});
  engine.Fail(VerdictKind::kCrash, "stack overflow", message, {.pc = pc});
}

bool FaultsAreCaught() { return caught; }

bool IsFatal(int signal) {
  constexpr int kHarmless[] = {SIGCHLD, SIGURG,  SIGWINCH, SIGCONT,
                               SIGSTOP, SIGTSTP, SIGTTIN,  SIGTTOU};
  struct sigaction action;
  if (JACQUARD_REAL(sigaction)(signal, nullptr, &action) != 0) return false;
  for (int i = 0; i < kSignalCount; ++i) {
    const bool is_ours = caught && (action.sa_flags & SA_SIGINFO) != 0 &&
                         action.sa_sigaction == OnFault && kSignals[i] == signal;
    if (is_ours) action = previous[i];
  }
  return (action.sa_flags & SA_SIGINFO) == 0 && action.sa_handler == SIG_DFL &&
         std::find(std::begin(kHarmless), std::end(kHarmless), signal) == std::end(kHarmless);
}

void CatchFaults() {
  caught = true;
  stack = MapGuardedStack(kStackBytes);
  if (stack == nullptr) Die("no memory for a stack on which faults are reported");
  previous_terminate = std::get_terminate();
  // A constructor of the program's may have set one.
  if (previous_terminate == __gnu_cxx::__verbose_terminate_handler) std::set_terminate(OnTerminate);
  for (int i = 0; i < kSignalCount; ++i) {
    struct sigaction action = FaultAction();
    JACQUARD_REAL(sigaction)(kSignals[i], &action, &previous[i]);
  }
}

}  // namespace jacquard::sim
