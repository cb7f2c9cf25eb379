// The watchdog: a real thread that notices an execution which computes for ever without a step.
//
// libFuzzer's own time-out does not fire inside a fiber, since its handler looks at thread-local
// storage. This one counts the process's CPU time and needs nobody's: it asks the stuck thread by a
// signal where it is.
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <functional>
#include <string>

#include "sim/engine.h"
#include "sim/message.h"
#include "sim/real.h"
#include "sim/symbolize.h"

namespace jacquard {
namespace sim {
namespace {

constexpr double kDefaultSeconds = 10;

std::atomic<double> limit_seconds = kDefaultSeconds;
std::function<void(const std::string&)> report;
std::atomic<uintptr_t> stuck_pc = 0;
pid_t executing_tid = 0;

void OnSignal(int /*signal*/, siginfo_t* /*info*/, void* context) {
  stuck_pc = static_cast<uintptr_t>(static_cast<ucontext_t*>(context)->uc_mcontext.gregs[REG_RIP]);
}

int Signal() { return SIGRTMAX - 3; }

double CpuSeconds() {
  timespec time;
  RawSyscall(SYS_clock_gettime, CLOCK_PROCESS_CPUTIME_ID, reinterpret_cast<uint64_t>(&time));
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

void SleepMilliseconds(long milliseconds) {
  const timespec time = {milliseconds / 1000, milliseconds % 1000 * 1'000'000};
  RawSyscall(SYS_nanosleep, reinterpret_cast<uint64_t>(&time), 0);
}

std::string Describe(double seconds) {
  RawSyscall(SYS_tgkill, static_cast<uint64_t>(getpid()), static_cast<uint64_t>(executing_tid),
             static_cast<uint64_t>(Signal()));
  for (int i = 0; i < 20 && stuck_pc == 0; ++i) SleepMilliseconds(10);
  char text[200];
  std::snprintf(
      text, sizeof(text),
      "no step in %.1f seconds of CPU time: thread %d computes without an atomic operation or a "
      "call into the thread library, after %llu steps. This is not a verdict on the lock.\n",
      seconds, engine.current->id, static_cast<unsigned long long>(engine.step()));
  std::string result = text;
  for (int i = 0; i < engine.thread_count(); ++i) {
    const SimThread& thread = engine.thread(i);
    result += "  thread " + std::to_string(i) + ": ";
    if (&thread == engine.current) {
      const SourceFrame frame = Symbolize(stuck_pc + 1).front();  // as if it were a return address
      result += "running in " + frame.function + " " + SourceLocation(frame);
    } else if (engine.HasEnded(thread)) {
      result += "has ended";
    } else {
      result += std::string("before its next ") + StepKindName(engine.pending(thread).kind);
    }
    result += "\n";
  }
  return result;
}

void* Watch(void* /*argument*/) {
  uint64_t last_progress = 0;
  double last_time = CpuSeconds();
  for (;;) {
    SleepMilliseconds(100);
    const uint64_t progress = engine.Progress();
    const double now = CpuSeconds();
    const double limit = limit_seconds;
    if (progress != last_progress || !engine.executing || limit == 0) {
      last_progress = progress;
      last_time = now;
      continue;
    }
    if (now - last_time < limit) continue;
    const std::string text = Describe(now - last_time);
    if (report) {
      report(text);
    } else {
      Warn(text);
    }
    _exit(kNoStepExitStatus);
  }
}

}  // namespace

void StartWatchdog() {
  executing_tid = static_cast<pid_t>(RawSyscall(SYS_gettid));
  struct sigaction action = {};
  action.sa_sigaction = OnSignal;
  action.sa_flags = SA_SIGINFO | SA_RESTART;
  sigaction(Signal(), &action, nullptr);
  pthread_t thread;
  if (real::pthread_create(&thread, nullptr, Watch, nullptr) != 0) Die("cannot start a thread");
}

}  // namespace sim

void SetWatchdog(double seconds, std::function<void(const std::string& text)> report) {
  sim::report = std::move(report);
  sim::limit_seconds = seconds;
}

}  // namespace jacquard
