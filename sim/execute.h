// One execution of a program under a strategy, in the simulated runtime.
#ifndef JACQUARD_SIM_EXECUTE_H_
#define JACQUARD_SIM_EXECUTE_H_

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "sim/program.h"
#include "sim/strategy.h"
#include "sim/trace.h"
#include "sim/verdict.h"

namespace jacquard {

// What memory the threads share.
enum class MemoryMode : uint8_t {
  kSc,    // sequential consistency: every read sees the newest value; no data race is looked for
  kRc11,  // C++20's memory model, without load buffering: docs/memory_model.md
};

// Its name, as command lines have it.
constexpr const char* MemoryModeName(MemoryMode mode) {
  return mode == MemoryMode::kSc ? "sc" : "rc11";
}

// A bound on something that is left to chance: never, as often as the strategy likes, or a number.
inline constexpr uint32_t kNever = 0;
inline constexpr uint32_t kAnyNumber = UINT32_MAX;

// For ExecutionOptions::watch_from: soon, where it is known that many executions are livelocks, and
// one that is not would do no harm.
inline constexpr uint64_t kWatchSoon = 1'000'000;

// What exit() and its like mean in an execution, which they end.
enum class ExitMode : uint8_t {
  kIsMisplaced,  // a verdict: a body has to return
  kIsFree,       // the end of a program, whatever the status
  kMustBeZero,   // the same, but another status than 0 is a verdict
  // As kIsFree; but if the execution has never had a second thread, it is the process that ends, as
  // without a simulation; for as long as it has none, there is no limit of time or steps.
  kIsRealIfAlone,
};

struct ExecutionOptions {
  MemoryMode memory = MemoryMode::kRc11;
  // kRc11: so many stores of a location are kept, at least 2 and at most 1,000. A thread that could
  // have read an older one reads the oldest that is left; Counters::cut_histories tells.
  uint32_t max_history = 64;
  // Whether plain accesses that race end the execution with a verdict (kRc11; nobody looks for them
  // under kSc). If not, they are left to chance: as soon as there is a second thread, each plain
  // access is a step, which sees the newest value and orders nothing.
  bool races = true;
  // An execution that takes more steps is a livelock. What merely takes long is none, and so this
  // is a large number; who goes round in circles is found out before.
  uint64_t max_steps = 30'000'000;
  // After so many steps, and again after twice as many and so on, an execution is watched for a
  // while: if its threads only come back to states in which they have been, it is a livelock
  // (sim/recurrence.h). That they get somewhere in code without hooks only, a library that reads a
  // file for instance, cannot be seen: few do for so long.
  uint64_t watch_from = 8'000'000;
  // From so many steps on, and at the latest from half of max_steps on, every thread gets its turn,
  // and the strategy is not asked: threads that wait for one another by turns end soon then. Steps
  // at which nobody else could run are not counted, but ten times as many are the limit, and a
  // hundred times before there is a second thread.
  uint64_t unfair_steps = 50'000;
  // Whether blocks of the heap that are still there after Program::End, and that nothing points to
  // any more, are a verdict. Executions that end with another verdict are not looked at.
  bool check_leaks = true;
  // Whether locks that threads take in different orders are a verdict where no deadlock has
  // happened, but one would if each of the threads were stopped in between: that is tried, so that
  // it is sure (sim/lock_order.h).
  bool lock_order = true;
  // Whether each allocation of a simulated thread may fail: one more decision.
  bool allocations_may_fail = false;
  // So much may happen for no reason in one execution, altogether: waits for a condition variable
  // or a futex that end although nobody has woken the thread, as POSIX and Linux permit, and weak
  // compare-exchanges that fail. A thread's waits for one object never do so twice in a row, nor
  // does one call of a compare-exchange.
  uint32_t spurious_wake_ups = kAnyNumber;
  // So many timed waits and sleeps may end in one execution while other threads could still run.
  // Beyond that, time passes only when nobody else can.
  uint32_t time_outs = kAnyNumber;
  // Whether a wake-up may choose among the waiters; else it is always the longest one's turn.
  bool wake_order = true;
  // Whether a detached thread may still be running when the body, or the last thread of the
  // harness, has ended. If not, its next step is a verdict.
  bool detached_threads_may_outlive = true;
  // Whether faults of the C++ library that are known are told as bugs: wake-ups that its
  // semaphores, latches and atomic waits lose, a data race in its std::atomic<std::shared_ptr>
  // (docs/findings.md). If not, these do what the standard promises.
  bool library_bugs = false;
  // Whether what the program tells ThreadSanitizer of its locks (annotations.cc) is believed. If
  // not, its locks are looked at as all else is.
  bool annotations = true;
  ExitMode exits = ExitMode::kIsMisplaced;
  // Whether a program's end is part of the execution: destructors of globals and of static
  // variables, and the functions of atexit, while other threads go on.
  bool exit_functions = true;
  // Whether its beginning is, too: the constructors of globals. (For the token: which it is the
  // process decides, HasConstructorsInExecutions.)
  bool constructors = false;
  // The bytes of a freed block are given out again after so many more bytes have been freed. Until
  // then, accesses to them are found out; with 0 addresses come back at once, as a bug in the way
  // of A-B-A may need it.
  uint64_t quarantine = 64 << 20;
};

// What the runtime has done since the process started.
struct Counters {
  uint64_t executions = 0;
  uint64_t steps = 0;  // visible operations
  uint64_t picks = 0;  // decision points at which there was a choice
  // How often thread-local storage was switched: at a switch to a thread that uses its own, and
  // back.
  uint64_t storage_switches = 0;
  // Executions under kRc11 in which something was forgotten that might have mattered: stores beyond
  // max_history, or accesses to very many objects. Nothing wrong was shown, but something may have
  // been missed.
  uint64_t cut_histories = 0;
  // Executions that went on beyond `unfair_steps`: of what came then one order was looked at.
  uint64_t long_executions = 0;
  // In how many executions the program ended with another status than 0, which was no verdict.
  uint64_t failing_statuses = 0;
  // How often a fault of the C++ library was passed over that ExecutionOptions::library_bugs would
  // have told.
  uint64_t library_bugs = 0;
  // How often an annotation may have hidden a race (ExecutionOptions::annotations).
  uint64_t annotations = 0;
};

// Runs `program` once; `strategy` has had its BeginExecution. Records into `trace` if it is not
// null. Must be called from the process's first thread, outside of any execution. Costs about 0.2
// microseconds and 30 ns a step without a trace.
Verdict Execute(Program& program, Strategy& strategy, const ExecutionOptions& options,
                Trace* trace = nullptr);

// While one of these lives, executions follow one another: what comes between two of them may do
// without the process's thread-local storage, and gets it when it asks. Spares two switches of
// storage for each execution, which take 4 microseconds each on some virtual machines. For the
// process's first thread.
class ExecutionSeries {
 public:
  ExecutionSeries();
  ~ExecutionSeries();
  ExecutionSeries(const ExecutionSeries&) = delete;
  ExecutionSeries& operator=(const ExecutionSeries&) = delete;
};

const Counters& RuntimeCounters();

// Ends the execution that is going on with a verdict of the given kind, as Fail (sim/runtime.h)
// does. For test frameworks.
[[noreturn]] void FailExecution(VerdictKind kind, std::string_view rule, std::string_view message);

// For test frameworks and fuzzers, before the first test: what constructors of globals have left on
// the heap is there in each execution. What tests allocate for themselves keeps what executions
// write.
void BeginTests();

// For programs with a main of their own, before the first execution: what constructors of globals
// have left, on the heap, too, and in the calling thread's variables, is there in each execution;
// and simulated thread 0 is called what the calling thread is.
void BeginProgram();

// Whether the program is one without threads as far as it has come: no limits of time and steps are
// for it, as it ends as it would by itself (ExitMode::kIsRealIfAlone). From any thread.
bool ProgramIsAlone();

// For programs, on simulated thread 0: main() has returned `status`. If other threads are still
// there, ends the execution, as the end of the process would end them.
void ReturnFromMain(int status);

// Executions are given up at a step, and pass, when the system's monotonic clock shows so many
// seconds; 0: never. What is found does not depend on that, only how much is looked at.
void SetDeadline(double deadline);
double CurrentDeadline();
// Whether the last one was given up.
bool LastWasGivenUp();

// A hash of the schedule of the last execution: of who took over before which step. Equal for equal
// schedules.
uint64_t LastSchedule();

// A thread that computes for ever without a step cannot be interrupted by the scheduler. After
// `seconds` of CPU time without a step a watchdog calls `report` (on a thread of its own, with the
// text to print), and ends the process with status kNoStepExitStatus: that is not a bug of the code
// under test. 0 switches it off. The default is 10 seconds, and printing.
inline constexpr int kNoStepExitStatus = 79;
void SetWatchdog(double seconds, std::function<void(const std::string& text)> report);

// A thread-local variable of a simulated thread.
struct ThreadLocal {
  int thread = -1;               // whose it is; -1: it is none
  const void* module = nullptr;  // an address in the executable or the library that has it
  size_t place = 0;              // behind the first of the variables that module has
};
// The one that lies at `address`; in an execution, or of the last one.
ThreadLocal FindThreadLocal(const void* address);

// The name of the semaphore at `address` that sem_open has made in this execution; "" if there is
// none.
std::string NameOfSemaphore(const void* address);

// Ends the process with `status` in an execution that goes on, which the calling thread is no part
// of: says `what`, which is a line, and a line for each thread: where the running one computes, and
// what the others are about to do, if that can be told.
[[noreturn]] void EndStuckProcess(const std::string& what, int status);

// Writes "jacquard: TEXT" and a newline to standard error, also while the program's output is
// thrown away.
void WriteMessage(std::string_view text);

// For a thread that is none of the program's: what is sent to the process is for the program,
// unless somebody wants it to stop.
void LeaveSignalsToProgram();

// For programs, in main: executes the program again, from its beginning, so that the constructors
// of its globals are left to the executions. Returns only if that fails: an error number.
int ExecuteWithConstructors(char** argv);
// Whether that has been done.
bool HasConstructorsInExecutions();
// Whether the last execution has ended with threads left, which destructors of globals may have to
// do with: where constructors are not part of executions, neither are these.
bool LastNeedsConstructors();
// In an execution, before main: what has been left to it.
void RunConstructors(int argc, char** argv, char** environment);

// How many real threads the program has started, outside of executions, and not joined.
int RealThreadsOfProgram();

}  // namespace jacquard

#endif  // JACQUARD_SIM_EXECUTE_H_
