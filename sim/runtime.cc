#include "sim/runtime.h"

#include <algorithm>

#include "sim/bookkeeper.h"
#include "sim/engine.h"
#include "sim/message.h"
#include "sim/recorder.h"

namespace jacquard {

using sim::engine;

namespace {

// Apart, as they have frames: most executions have no trace.
[[gnu::noinline]] void RecordOperationBegin(int operation) {
  const sim::Backstage backstage;
  engine.recorder->Text(TraceEvent::Type::kOperationBegin,
                        engine.program().OperationName(operation));
}

[[gnu::noinline]] void RecordOperationEnd() {
  engine.recorder->Text(TraceEvent::Type::kOperationEnd, {});
  engine.current->operation = -1;
}

}  // namespace

int CurrentThread() { return engine.OnExecutingThread() ? engine.current->id : -1; }

void Fail(std::string_view rule, std::string_view message) {
  if (!engine.OnExecutingThread()) {
    sim::Die(std::string("check failed outside of an execution: ") + std::string(rule) + ": " +
             std::string(message));
  }
  const bool at_end = engine.alive() == 0;
  // A check behind a step is about that step, wherever the check stands.
  const uintptr_t pc =
      engine.Simulates() ? reinterpret_cast<uintptr_t>(__builtin_return_address(0)) : 0;
  engine.Fail(at_end ? VerdictKind::kFinal : VerdictKind::kInvariant, rule, message, {.pc = pc});
}

void BeginOperation(int operation) {
  if (!engine.Simulates()) return;
  engine.current->operation = operation;
  if (engine.recorder != nullptr) [[unlikely]]
    RecordOperationBegin(operation);
}

void EndOperation() {
  if (!engine.Simulates()) return;
  if (engine.recorder != nullptr) [[unlikely]]
    return RecordOperationEnd();
  engine.current->operation = -1;
}

bool Tracing() { return engine.recorder != nullptr && engine.executing; }

void Note(std::string_view text) {
  if (Tracing()) engine.recorder->Text(TraceEvent::Type::kNote, text);
}

void DescribeOperation(std::string_view text) {
  if (Tracing()) engine.recorder->DescribeOperation(text);
}

int PickData(int alternatives) {
  if (!engine.Simulates() || alternatives < 2) return 0;
  return engine.Choose(PickKind::kData, alternatives);
}

void SetBookkeeper(const Bookkeeper* bookkeeper) { engine.bookkeeper = bookkeeper; }

int RunningCalls(uintptr_t* calls, int most) {
  if (!engine.OnExecutingThread()) return 0;
  const sim::SimThread& me = *engine.current;
  int count = 0;
  for (int i = std::min(me.call_depth, sim::SimThread::kMaxCallStack); i-- > 0 && count < most;)
    calls[count++] = me.call_stack[i];
  return count;
}

// On a real thread beside the execution it must not touch the hooks.
Ghost::Ghost() : were_on_(engine.Simulates()) {
  if (were_on_) engine.hooks_on = false;
}

Ghost::~Ghost() {
  if (!were_on_) return;
  engine.hooks_on = true;
  // Others may see what it has written: its first step is not what it was picked for any more.
  engine.current->fresh = false;
}

}  // namespace jacquard
