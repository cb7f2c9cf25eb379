// Notes in the trace: what is no step, and explains those that are.
#ifndef JACQUARD_SIM_NOTES_H_
#define JACQUARD_SIM_NOTES_H_

#include "sim/engine.h"
#include "sim/recorder.h"

namespace jacquard::sim {

// By the running thread, if a trace is recorded: the text that `make_text()` returns.
void NoteInTrace(auto make_text) {
  if (engine.recorder == nullptr) return;
  const Backstage backstage;
  engine.recorder->Text(TraceEvent::Type::kNote, make_text());
}

}  // namespace jacquard::sim

#endif  // JACQUARD_SIM_NOTES_H_
