#include "sim/recorder.h"

#include <algorithm>
#include <cstdio>
#include <iterator>

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

void Recorder::SetPick(TraceEvent& event, const MemoryPick& pick) {
  event.pick = pick.kind;
  event.alternatives = pick.alternatives;
  event.choice = pick.choice;
}

void Recorder::NoteMemoryPick(PickKind kind, int alternatives, int choice) {
  const Backstage backstage;
  memory_picks_.push_back({kind, alternatives, choice});
}

int64_t Recorder::EventOfStep(int32_t step) const {
  if (step < 0 || static_cast<size_t>(step) >= events_of_steps_.size()) return -1;
  return events_of_steps_[static_cast<size_t>(step)];
}

// The index of the event whose store was read.
void Recorder::RecordReadsFrom(TraceEvent& event) {
  const Step& step = event.step;
  if (engine.memory != nullptr) {
    if (read_ != kNoRead) event.reads_from = EventOfStep(read_);
    return;
  }
  Store& newest = engine.locations.Find(step.address).newest;
  if (step.kind != StepKind::kStore) event.reads_from = newest.event;
  if (Writes(step.kind)) {
    newest = {engine.step(), step.thread, static_cast<int32_t>(event.index)};
  }
}

void Recorder::RecordStep(const Step& step, uintptr_t pc) {
  const Backstage backstage;
  const Engine::PickTaken schedule = engine.TakeLastPick();
  // An event has room for one pick. The first that is not benign is the step's; others that are not
  // stand before it.
  MemoryPick own = {PickKind::kSchedule, schedule.alternatives, schedule.choice};
  for (const MemoryPick& pick : memory_picks_) {
    if (pick.choice == 0) {
      if (own.alternatives == 0) own = pick;
    } else if (own.choice == 0) {
      own = pick;
    } else {
      TraceEvent& event = Add(TraceEvent::Type::kNote);
      event.step.kind = step.kind;
      event.step.address = step.address;
      if (step.address != nullptr) event.name = engine.program().NameOf(step.address);
      if (read_ != kNoRead) event.reads_from = EventOfStep(read_);
      event.text = std::string("picks ") + PickKindName(pick.kind) + " " +
                   std::to_string(pick.choice) + " of " + std::to_string(pick.alternatives);
      SetPick(event, pick);
    }
  }
  memory_picks_.clear();
  TraceEvent& event = Add(TraceEvent::Type::kStep);
  event.step = step;
  event.pc = pc;
  SetPick(event, own);
  if (engine.memory != nullptr) {
    events_of_steps_.resize(engine.step() + 1, -1);
    events_of_steps_[engine.step()] = static_cast<int64_t>(event.index);
    if (step.size != 0) {
      const bool writes = Writes(step.kind);
      NoteAccess(writes ? memory::AccessKind::kAtomicWrite : memory::AccessKind::kAtomicRead,
                 step.address, step.size, pc);
    }
  }
  if (step.address == nullptr) return;
  Program& program = engine.program();
  event.name = program.NameOf(step.address);
  event.old_text = program.TextOf(step.address, step.old_value);
  event.new_text = program.TextOf(step.address, step.new_value);
  if (step.size != 0) RecordReadsFrom(event);
  read_ = kNoRead;
}

void Recorder::NoteAccess(memory::AccessKind kind, const void* address, size_t size, uintptr_t pc) {
  constexpr size_t kMostGranules = 512;  // of a larger range the beginning
  const Backstage backstage;
  const SimThread& me = *engine.current;
  const auto begin = reinterpret_cast<uintptr_t>(address);
  Access access = {kind, begin, size, {}};
  access.what.thread = me.id;
  access.what.step = engine.step();
  access.what.pc = pc;
  const int kept = std::min(me.call_depth, SimThread::kMaxCallStack);
  access.what.stack.assign(std::make_reverse_iterator(me.call_stack + kept),
                           std::make_reverse_iterator(me.call_stack));
  const size_t granules = std::min(kMostGranules, ((begin + size - 1) >> 3) - (begin >> 3) + 1);
  for (size_t i = 0; i < granules; ++i) {
    std::vector<Access>& here = accesses_[(begin >> 3) + i];
    const auto same = std::find_if(here.begin(), here.end(), [&](const Access& other) {
      return other.what.thread == me.id && other.kind == kind && other.address == begin &&
             other.size == size;
    });
    if (same != here.end()) here.erase(same);
    here.push_back(access);  // the latest stand last
  }
}

void Recorder::RecordRace(const memory::Race& race, const char* noun, uintptr_t pc) {
  const Backstage backstage;
  const auto text = [](const char* what, uintptr_t address, uint64_t size) {
    std::string name = engine.program().NameOf(reinterpret_cast<const void*>(address));
    if (name.empty()) {
      char hexadecimal[32];
      std::snprintf(hexadecimal, sizeof(hexadecimal), "%#lx", address);
      name = hexadecimal;
    }
    return std::string(what) + " of " + std::to_string(size) + (size == 1 ? " byte" : " bytes") +
           " at " + name;
  };
  TraceEvent& event = Add(TraceEvent::Type::kNote);
  event.text = text(noun, race.address, race.size);
  event.pc = pc;
  const std::vector<Access>& here = accesses_[race.earlier_address >> 3];
  for (auto access = here.rbegin(); access != here.rend(); ++access) {
    const bool overlaps = access->address < race.earlier_address + race.earlier_size &&
                          race.earlier_address < access->address + access->size;
    if (!overlaps || access->what.thread != race.earlier_thread ||
        access->kind != race.earlier_kind)
      continue;
    trace_->race = access->what;
    trace_->race.text = text(memory::AccessKindName(access->kind), access->address, access->size);
    return;
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
