// exit and its like, which would end the process: within an execution they end that.
#include <err.h>
#include <error.h>
#include <stdlib.h>
#include <unistd.h>

#include <cstdarg>
#include <cstdio>
#include <string>

#include "sim/engine.h"
#include "sim/exit_functions.h"
#include "sim/faults.h"
#include "sim/heap_check.h"
#include "sim/interruptions.h"
#include "sim/leaks.h"
#include "sim/real.h"
#include "sim/recorder.h"
#include "sim/sync.h"

namespace jacquard::sim {

void Engine::EndProgram(std::string_view function, int status, Ending ending, uintptr_t pc) {
  if (status != 0) {
    FailIfInHandlerOfFault();
    FailInTimersHandler();
  }
  // A switch to other threads, which go on until the end, notes another end of the stack.
  const Context end_of_stack = current->context;
  if (IsAlone()) {
    if (ending == Ending::kInOrder) {
      is_ending_ = true;
      RunThreadDestructors();
      RunExitFunctions(status);
    }
    if (ending == Ending::kQuick) RunQuickExitFunctions();
  }
  if (IsAlone()) {  // still, so the process may end
    WriteMessage("no second thread: this program has run once, as it is");
    return;
  }
  const bool fails = options_.exits == ExitMode::kMustBeZero && status != 0;
  if (ending == Ending::kInOrder && !fails) CallExitFunctions(status);
  if (ending == Ending::kQuick && !fails && CallsExitFunctions()) RunQuickExitFunctions();
  if (options_.exits != ExitMode::kIsMisplaced && !probing_ && Simulates()) {
    DecisionPoint(StepKind::kExit, nullptr, pc);
    FinishStep(StepKind::kExit, MemoryOrder::kRelaxed, 0, nullptr, 0, 0, pc);
  }
  current->context = end_of_stack;
  switch (options_.exits) {
    case ExitMode::kIsMisplaced:
      Fail(VerdictKind::kExit, function,
           "the body ends the process, with status " + std::to_string(status), {.pc = pc});
    case ExitMode::kMustBeZero:
      if (fails) {
        Fail(VerdictKind::kExit, "status " + std::to_string(status),
             "the program ends with a status that is a failure", {.pc = pc});
      }
      break;
    case ExitMode::kIsFree:
    case ExitMode::kIsRealIfAlone:
      if (status != 0) CountFailingStatus();
      break;
  }
  EndProbeIfAny();
  if (ending == Ending::kInOrder && options_.check_leaks && arena.live_blocks() != 0) CheckLeaks();
  GiveUp();
}

void Engine::CallExitFunctions(int status) {
  if (!CallsExitFunctions()) return;
  if (HasEarlierExitFunctions() && LeavesThreads()) needs_constructors_ = true;
  if (recorder != nullptr && HasExitFunctions()) {
    recorder->Text(
        TraceEvent::Type::kNote,
        "the program ends: destructors of globals, functions of atexit (exit_functions=skip "
        "leaves them out)");
  }
  is_ending_ = true;
  RunThreadDestructors();
  RunAllExitFunctions(status);
}

namespace {

// The stack of the running thread ends in the caller, where its registers are, too: for the search
// for leaks, which is not to find what earlier calls have left below.
[[gnu::always_inline]] inline void NoteEndOfStack() {
  __builtin_unwind_init();
  engine.current->context = StackPointer();
}

// `function` would call exit(): but within the C library, where nobody can stand in between.
[[noreturn]] void Exit(std::string_view function, int status, uintptr_t pc) {
  if (engine.OnExecutingThread()) {
    NoteEndOfStack();
    engine.EndProgram(function, status, Ending::kInOrder, pc);
  }
  JACQUARD_REAL(exit)(status);
  __builtin_unreachable();
}

}  // namespace
}  // namespace jacquard::sim

namespace jacquard {

void ReturnFromMain(int status) {
  using sim::engine;
  const ExitMode exits = engine.options().exits;
  const auto ends_others = [] { return (engine.alive() & ~engine.current->bit) != 0; };
  const bool matters = exits == ExitMode::kIsRealIfAlone ||
                       (exits == ExitMode::kMustBeZero && status != 0) || ends_others();
  if (!matters) engine.CallExitFunctions(status);
  if (!matters && !ends_others()) {
    if (status != 0) engine.CountFailingStatus();
    return;
  }
  sim::NoteEndOfStack();
  engine.EndProgram("main", status, sim::Ending::kInOrder, 0);
  JACQUARD_REAL(exit)(status);
}

}  // namespace jacquard

using jacquard::sim::Ending;
using jacquard::sim::engine;
using jacquard::sim::Exit;

extern "C" {

#define JACQUARD_EXIT(name, specification, ending)               \
  void name(int status) specification {                          \
    if (engine.OnExecutingThread()) {                            \
      jacquard::sim::NoteEndOfStack();                           \
      engine.EndProgram(#name, status, ending, JACQUARD_CALLER); \
    }                                                            \
    JACQUARD_REAL(name)(status);                                 \
    __builtin_unreachable();                                     \
  }

JACQUARD_EXIT(exit, noexcept, Ending::kInOrder)
JACQUARD_EXIT(_exit, , Ending::kAtOnce)
JACQUARD_EXIT(_Exit, noexcept, Ending::kAtOnce)
JACQUARD_EXIT(quick_exit, noexcept, Ending::kQuick)

void verr(int status, const char* format, va_list arguments) {
  vwarn(format, arguments);
  Exit("verr", status, JACQUARD_CALLER);
}

void verrx(int status, const char* format, va_list arguments) {
  vwarnx(format, arguments);
  Exit("verrx", status, JACQUARD_CALLER);
}

void err(int status, const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vwarn(format, arguments);
  Exit("err", status, JACQUARD_CALLER);
}

void errx(int status, const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vwarnx(format, arguments);
  Exit("errx", status, JACQUARD_CALLER);
}

// What is longer than any message is cut.
void error(int status, int number, const char* format, ...) {
  char message[1000];
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(message, sizeof(message), format, arguments);
  va_end(arguments);
  JACQUARD_REAL(error)(0, number, "%s", message);
  if (status != 0) Exit("error", status, JACQUARD_CALLER);
}

}  // extern "C"
