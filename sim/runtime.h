// What code that runs inside an execution may say to the runtime: harnesses, and tests.
//
// The same functions exist in the native form (sim/native.cc: real threads, no simulation).
#ifndef JACQUARD_SIM_RUNTIME_H_
#define JACQUARD_SIM_RUNTIME_H_

#include <cstdint>
#include <string>
#include <string_view>

namespace jacquard {

// The simulated thread that is running, from 0; -1 outside of an execution. In the native form: as
// told by SetNativeThread.
int CurrentThread();

// Ends the execution with a verdict: `rule` names the violated rule (stable, part of the
// signature), `message` says what was seen. In the native form: reports and aborts the process.
[[noreturn]] void Fail(std::string_view rule, std::string_view message);

// Fail() unless `condition` holds. For values in the message, test first and call Fail.
[[gnu::always_inline]] inline void Check(bool condition, const char* rule) {
  if (!condition) [[unlikely]]
    Fail(rule, "does not hold");
}

// A named operation begins or ends on the running thread. `text` (name and arguments, or the
// result) is only evaluated for a trace: pass it as a callable.
void BeginOperation(int operation);
void EndOperation();

// True while the execution is being recorded: what costs time and only feeds the trace may ask
// first.
bool Tracing();
// Adds a line to the running thread's column of the trace. Nothing happens without a trace.
void Note(std::string_view text);
// Gives the text of the last BeginOperation / EndOperation in the trace.
void DescribeOperation(std::string_view text);

// A value in [0, alternatives) that the strategy decides; 0 outside of an execution.
int PickData(int alternatives);

// While one of these lives, the hooks are off on this thread: ghost state can be read and written
// without making steps or races. Must not block.
class Ghost {
 public:
  Ghost();
  ~Ghost();
  Ghost(const Ghost&) = delete;
  Ghost& operator=(const Ghost&) = delete;

 private:
  bool were_on_;
};

}  // namespace jacquard

#endif  // JACQUARD_SIM_RUNTIME_H_
