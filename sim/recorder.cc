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
  event.stack = StackOfRunningThread();
  return event;
}

std::vector<uintptr_t> Recorder::StackOfRunningThread() {
  const SimThread& me = *engine.current;
  const int kept = std::min(me.call_depth, SimThread::kMaxCallStack);
  return {std::make_reverse_iterator(me.call_stack + kept),
          std::make_reverse_iterator(me.call_stack)};
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
  const bool of_memory = kind == PickKind::kAllocationFailure;
  if (of_memory && choice == 0) return;  // nothing to tell
  const Backstage backstage;
  TraceEvent& event = Add(TraceEvent::Type::kNote);
  event.text = of_memory ? "an allocation fails"
                         : std::string("picks ") + PickKindName(kind) + " " +
                               std::to_string(choice) + " of " + std::to_string(alternatives);
  event.pick = kind;
  event.alternatives = alternatives;
  event.choice = choice;
}

void Recorder::Text(TraceEvent::Type type, std::string_view text, uintptr_t pc) {
  const Backstage backstage;
  TraceEvent& event = Add(type);
  event.text = text;
  event.pc = pc;
}

void Recorder::AddHeapEvent(const Block& block, bool allocated, uintptr_t pc) {
  const Backstage backstage;
  heap_events_.push_back({.block = block.begin(),
                          .allocated = allocated,
                          .place = {.what = allocated ? "allocated" : "freed",
                                    .thread = engine.current->id,
                                    .step = engine.step(),
                                    .pc = pc,
                                    .stack = StackOfRunningThread()}});
}

void Recorder::AddPlacesOf(const Block& block) {
  const Backstage backstage;
  // Addresses come back: what counts is the last time.
  const auto last = [&](bool allocated) {
    return std::find_if(heap_events_.rbegin(), heap_events_.rend(), [&](const HeapEvent& event) {
      return event.block == block.begin() && event.allocated == allocated;
    });
  };
  if (block.state != Block::State::kLive) {
    if (const auto freed = last(false); freed != heap_events_.rend())
      trace_->places.push_back(freed->place);
  }
  if (const auto allocated = last(true); allocated != heap_events_.rend())
    trace_->places.push_back(allocated->place);
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
