// The watchdog: a real thread that notices an execution which computes for ever without a step.
//
// libFuzzer's own time-out does not fire inside a fiber, since its handler looks at thread-local
// storage. This one counts the process's CPU time and needs nobody's: it asks the stuck thread by a
// signal where it is. A thread that sleeps in the kernel instead, on a real lock of a library that
// another simulated thread has, gets several times that in real time: it might wait for input, or
// for somebody to read its output.
//
// To tell where a thread is takes real locks, of the dynamic linker and of the heap, one of which
// that very thread may have. So there are last words, without it, for when that takes too long.
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <functional>
#include <map>
#include <string>
#include <utility>

#include "sim/caller.h"
#include "sim/engine.h"
#include "sim/frames.h"
#include "sim/message.h"
#include "sim/real.h"
#include "sim/symbolize.h"

namespace jacquard {
namespace sim {
namespace {

constexpr double kDefaultSeconds = 10;
constexpr double kPatienceInKernel = 3;  // times as long

std::atomic<double> limit_seconds = kDefaultSeconds;
std::function<void(const std::string&)> report;
// Where the stuck thread is: its program counter and those it will return to. Written by its signal
// handler, which stores the first one last.
constexpr int kMaxFrames = 32;
std::atomic<uintptr_t> stuck_pcs[kMaxFrames] = {};
pid_t executing_tid = 0;

// Whether `pc` is where a direct call in the program returns to.
bool IsReturnAddress(uintptr_t pc) {
  constexpr uint8_t kCall = 0xE8;
  constexpr uintptr_t kCallSize = 5;
  return FromProgram(reinterpret_cast<const void*>(pc - kCallSize)) &&
         *reinterpret_cast<const uint8_t*>(pc - kCallSize) == kCall;
}

void OnSignal(int /*signal*/, siginfo_t* /*info*/, void* context) {
  const auto& registers = static_cast<ucontext_t*>(context)->uc_mcontext.gregs;
  // Code under test and the runtime keep frame pointers; others may not, and the walk ends early.
  // The hooks that call nothing have no frame: their caller is on top of the stack.
  const auto stack = static_cast<uintptr_t>(registers[REG_RSP]);
  const bool on_fiber = stack >= kStackArea && stack < StackTop(kMaxThreads);
  const uintptr_t top =
      on_fiber ? StackTop(static_cast<int>((stack - kStackArea) / kStackStride)) : 0;
  int count = 1;
  if (on_fiber) {
    const uintptr_t on_top = *reinterpret_cast<const uintptr_t*>(stack);
    if (IsReturnAddress(on_top)) stuck_pcs[count++] = on_top;
  }
  VisitFrames(static_cast<uintptr_t>(registers[REG_RBP]), stack, top,
              [&](uintptr_t /*frame*/, uintptr_t return_address) {
                stuck_pcs[count++] = return_address;
                return count < kMaxFrames;
              });
  if (count < kMaxFrames) stuck_pcs[count] = 0;
  stuck_pcs[0] = static_cast<uintptr_t>(registers[REG_RIP]);
}

// One look at the stuck thread.
struct Place {
  std::string text;
  bool exact = false;  // it was in the program's own code just then
};

// The innermost function of the program that is running; a plain access is likely to be in one of
// the runtime's.
Place DescribeLook() {
  std::string first;
  for (int i = 0; i < kMaxFrames && stuck_pcs[i] != 0; ++i) {
    // A program counter as if it were a return address.
    for (const SourceFrame& frame : Symbolize(stuck_pcs[i] + (i == 0))) {
      std::string text = frame.function + " " + SourceLocation(frame);
      const bool is_runtime =
          frame.file.starts_with("sim/") || frame.file.find("/jacquard/sim/") != std::string::npos;
      if (!is_runtime && !IsLibraryFrame(frame)) return {std::move(text), i == 0};
      if (first.empty()) first = std::move(text);
    }
  }
  return {first.empty() ? "an unknown place" : first};
}

int Signal() { return SIGRTMAX - 3; }

double CpuSeconds() {
  timespec time = {};  // stays so once that thread is gone
  // Of the executing thread; others may be busy beside it. The encoding is the kernel's (clock
  // numbers of threads in clock_getcpuclockid(3)'s manner): bit 2 a thread, low bits 2 its
  // scheduled time.
  const uint64_t clock = (~static_cast<uint64_t>(executing_tid) << 3) | 6;
  RawSyscall(SYS_clock_gettime, clock, reinterpret_cast<uint64_t>(&time));
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

void SleepMilliseconds(long milliseconds) {
  const timespec time = {milliseconds / 1000, milliseconds % 1000 * 1'000'000};
  RawSyscall(SYS_nanosleep, reinterpret_cast<uint64_t>(&time), 0);
}

// Where the stuck thread computes. A function of the runtime that has no stack frame yet hides its
// caller from the walk, so there are several looks: the first one into the program's own code
// counts, or else what most of them show.
std::string DescribePlace() {
  constexpr int kLooks = 1000;  // some milliseconds each at most, and most end at one of the first
  std::map<std::string, int> looks;
  std::string best;
  for (int look = 0; look < kLooks; ++look) {
    stuck_pcs[0] = 0;
    RawSyscall(SYS_tgkill, static_cast<uint64_t>(getpid()), static_cast<uint64_t>(executing_tid),
               static_cast<uint64_t>(Signal()));
    for (int i = 0; i < 200 && stuck_pcs[0] == 0; ++i) SleepMilliseconds(1);
    const Place place = DescribeLook();
    if (place.exact) return place.text;
    if (stuck_pcs[0] == 0 && look >= 3) break;  // it does not answer
    if (++looks[place.text] > looks[best]) best = place.text;
  }
  return best;
}

std::string DescribeThreads() {
  std::string result;
  for (int i = 0; i < engine.thread_count(); ++i) {
    const SimThread& thread = engine.thread(i);
    result += "  thread " + std::to_string(i) + ": ";
    if (&thread == engine.current) {
      result += "running in " + DescribePlace();
    } else if (engine.HasEnded(thread)) {
      result += "has ended";
    } else {
      result += std::string("before its next ") + StepKindName(engine.pending(thread).kind);
    }
    result += "\n";
  }
  if (engine.current->id < 0) result += "  the harness: running in " + DescribePlace() + "\n";
  return result;
}

// What is said in the end, and the exit status.
struct LastWords {
  char text[400];
  int status;
};
constinit LastWords last_words = {};

int LastSignal() { return SIGRTMAX - 4; }

// On any thread, whatever it is about.
void OnLastSignal(int /*signal*/) {
  Warn(last_words.text);
  RawSyscall(SYS_exit_group, static_cast<uint64_t>(last_words.status));
}

// The process is about to end, having said `text`, or does so in a while. Takes no lock. Returns
// for the first one who comes only.
void PrepareLastWords(const std::string& text, int status) {
  constexpr time_t kSeconds = 10;
  static std::atomic_flag is_prepared;
  while (is_prepared.test_and_set()) SleepMilliseconds(1000);
  std::snprintf(
      last_words.text, sizeof(last_words.text),
      "%s  (Where the threads are cannot be told: that takes a real lock which one of them "
      "has, as in a constructor that dlopen calls.)",
      text.c_str());
  last_words.status = status;
  sigevent event = {};
  event.sigev_notify = SIGEV_SIGNAL;
  event.sigev_signo = LastSignal();
  int timer = 0;
  RawSyscall(SYS_timer_create, CLOCK_MONOTONIC, reinterpret_cast<uint64_t>(&event),
             reinterpret_cast<uint64_t>(&timer));
  const itimerspec time = {.it_interval = {}, .it_value = {.tv_sec = kSeconds, .tv_nsec = 0}};
  RawSyscall(SYS_timer_settime, static_cast<uint64_t>(timer), 0, reinterpret_cast<uint64_t>(&time),
             0);
}

std::string Describe(double seconds) {
  char text[300];
  std::snprintf(
      text, sizeof(text),
      "no step in %.1f seconds of CPU time: thread %d computes without an atomic operation or a "
      "call into the thread library, after %llu steps. This is not a verdict on the lock.%s\n",
      seconds, engine.current->id, static_cast<unsigned long long>(engine.step()),
      engine.options().races ? " (With races=ignore, plain accesses are steps, too.)" : "");
  return text;
}

std::string DescribeSleep(double seconds) {
  char text[300];
  std::snprintf(
      text, sizeof(text),
      "no step in %.1f seconds: thread %d sleeps in the kernel, after %llu steps, perhaps "
      "for a lock within a library that another thread has, or for input. This is not a "
      "verdict on the lock.\n",
      seconds, engine.current->id, static_cast<unsigned long long>(engine.step()));
  return text;
}

[[noreturn]] void EndProcess(const std::string& what) {
  PrepareLastWords(what, kNoStepExitStatus);
  const std::string text = what + DescribeThreads();
  if (report) {
    report(text);
  } else {
    Warn(text);
  }
  _exit(kNoStepExitStatus);
}

void* Watch(void* /*argument*/) {
  LeaveSignalsToProgram();
  constexpr double kBetweenLooks = 0.1;
  constexpr double kNothing = 1e-3;
  uint64_t last_progress = 0;
  double last_time = CpuSeconds();
  double at_last_look = last_time;
  double asleep = 0;  // by looks, so that time in which the whole process stands still is none
  for (;;) {
    SleepMilliseconds(static_cast<long>(kBetweenLooks * 1000));
    const uint64_t progress = engine.Progress();
    const double now = CpuSeconds();
    const double limit = limit_seconds;
    asleep = now - at_last_look < kNothing ? asleep + kBetweenLooks : 0;
    at_last_look = now;
    if (progress != last_progress || !engine.executing || limit == 0 || engine.IsAlone()) {
      last_progress = progress;
      last_time = now;
      asleep = 0;
      continue;
    }
    if (now - last_time >= limit) EndProcess(Describe(now - last_time));
    if (asleep >= kPatienceInKernel * limit) EndProcess(DescribeSleep(asleep));
  }
}

}  // namespace

void StartWatchdog() {
  executing_tid = static_cast<pid_t>(RawSyscall(SYS_gettid));
  struct sigaction action = {};
  action.sa_sigaction = OnSignal;
  action.sa_flags = SA_SIGINFO | SA_RESTART;
  sigaction(Signal(), &action, nullptr);
  action.sa_handler = OnLastSignal;
  action.sa_flags = 0;
  sigaction(LastSignal(), &action, nullptr);
  pthread_t thread;
  if (real::pthread_create(&thread, nullptr, Watch, nullptr) != 0) Die("cannot start a thread");
}

}  // namespace sim

void WriteMessage(std::string_view text) { sim::Warn(text); }

void EndStuckProcess(const std::string& what, int status) {
  sim::PrepareLastWords(what, status);
  std::string text = what;
  if (sim::engine.current != nullptr) text += sim::DescribeThreads();
  if (text.ends_with('\n')) text.pop_back();
  WriteMessage(text);
  _exit(status);
}

void SetWatchdog(double seconds, std::function<void(const std::string& text)> report) {
  sim::report = std::move(report);
  sim::limit_seconds = seconds;
}

}  // namespace jacquard
