#include "sim/recorder.h"

#include <algorithm>

#include "sim/engine.h"
#include "sim/names.h"

namespace jacquard::sim {

TraceEvent& Recorder::Add(TraceEvent::Type type) {
  SimThread& me = *engine.current;
  TraceEvent& event = trace_->events.emplace_back();
  event.type = type;
  event.index = trace_->events.size() - 1;
  event.step.thread = me.id;
  event.step.operation = me.operation;
  event.enabled = engine.enabled();
  const int kept = std::min(me.call_depth, SimThread::kMaxCallStack);
  event.stack.assign(std::make_reverse_iterator(me.call_stack + kept),
                     std::make_reverse_iterator(me.call_stack));
  return event;
}

void Recorder::TakePick(TraceEvent& event) {
  const Engine::PickTaken pick = engine.TakeLastPick();
  event.pick = PickKind::kSchedule;
  event.alternatives = pick.alternatives;
  event.choice = pick.choice;
}

void Recorder::RecordStep(const Step& step, uintptr_t pc) {
  const Backstage backstage;
  TraceEvent& event = Add(TraceEvent::Type::kStep);
  event.step = step;
  event.pc = pc;
  TakePick(event);
  if (step.address == nullptr) return;
  Program& program = engine.program();
  event.name = program.NameOf(step.address);
  event.old_text = program.TextOf(step.address, step.old_value);
  event.new_text = program.TextOf(step.address, step.new_value);
  if (step.size == 0) return;
  Store& newest = engine.locations.Find(step.address).newest;
  if (step.kind != StepKind::kStore) event.reads_from = newest.event;
  if (Writes(step.kind)) {
    newest = {engine.step(), step.thread, static_cast<int32_t>(event.index)};
  }
}

void Recorder::RecordEnd() {
  const Backstage backstage;
  TraceEvent& event = Add(TraceEvent::Type::kStep);
  event.step.kind = StepKind::kThreadEnd;
  TakePick(event);
}

void Recorder::RecordBlocked(StepKind kind, const void* address, std::string_view text,
                             uintptr_t pc) {
  const Backstage backstage;
  TraceEvent& event = Add(TraceEvent::Type::kBlocked);
  event.step.kind = kind;
  event.step.address = address;
  if (kind == StepKind::kThreadJoin) {
    event.step.new_value = static_cast<uint64_t>(engine.current->wait_thread);
  }
  if (address != nullptr) event.name = engine.program().NameOf(address);
  event.text = text;
  event.pc = pc;
}

void Recorder::RecordPick(PickKind kind, int alternatives, int choice) {
  const Backstage backstage;
  TraceEvent& event = Add(TraceEvent::Type::kNote);
  event.text = std::string("picks ") + PickKindName(kind) + " " + std::to_string(choice) + " of " +
               std::to_string(alternatives);
  event.pick = kind;
  event.alternatives = alternatives;
  event.choice = choice;
}

void Recorder::Text(TraceEvent::Type type, std::string_view text) {
  const Backstage backstage;
  Add(type).text = text;
}

void Recorder::DescribeOperation(std::string_view text) {
  const Backstage backstage;
  const auto last =
      std::find_if(trace_->events.rbegin(), trace_->events.rend(), [](const TraceEvent& event) {
        return event.step.thread == engine.current->id &&
               (event.type == TraceEvent::Type::kOperationBegin ||
                event.type == TraceEvent::Type::kOperationEnd);
      });
  if (last != trace_->events.rend()) last->text = text;
}

}  // namespace jacquard::sim
