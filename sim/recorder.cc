#include "sim/recorder.h"

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "sim/engine.h"
#include "sim/names.h"
#include "sim/spin.h"
#include "sim/wait_text.h"

namespace jacquard::sim {

void Recorder::CompletePlainWrite() {
  if (Mark() <= complete_) return;
  complete_ = Mark();
  TraceEvent& event = trace_->events.back();
  Step& step = event.step;
  if (event.type != TraceEvent::Type::kStep || step.kind != StepKind::kPlainWrite ||
      step.size > sizeof(step.new_value))
    return;
  step.new_value = ReadBytes(step.address, step.size);
  event.new_text = engine.program().TextOf(step.address, step.new_value);
}

void Recorder::ForgetSince(size_t mark) {
  // The events' destructors may be the program's, with hooks: the trace is of a public type.
  const Backstage backstage;
  const size_t kept = mark <= gap_ ? mark : std::max(gap_, mark - std::min(mark, left_out_));
  trace_->events.resize(std::min(kept, trace_->events.size()));
  complete_ = std::min(complete_, Mark());
}

void Recorder::LeaveOut() {
  std::vector<TraceEvent>& events = trace_->events;
  if (left_out_ == 0) gap_ = std::min(enough_, kMostEvents / 2);
  const size_t count = (events.size() - gap_) / 2;
  const auto begin = events.begin() + static_cast<ptrdiff_t>(gap_);
  events.erase(begin, begin + static_cast<ptrdiff_t>(count));
  left_out_ += count;
  const auto first = static_cast<int64_t>(left_out_ + gap_);
  const auto kept = std::find_if(events_of_steps_.begin(), events_of_steps_.end(),
                                 [first](int64_t event) { return event >= first; });
  first_step_ += static_cast<size_t>(kept - events_of_steps_.begin());
  events_of_steps_.erase(events_of_steps_.begin(), kept);
}

void Recorder::Finish() {
  std::vector<TraceEvent>& events = trace_->events;
  if (left_out_ == 0 || events.size() <= gap_) return;
  // What there is before the gap becomes one note, and that the first event.
  const size_t before = left_out_ + gap_;
  events.erase(events.begin(), events.begin() + static_cast<ptrdiff_t>(gap_));
  TraceEvent note;
  note.type = TraceEvent::Type::kNote;
  note.step.thread = events.front().step.thread;
  note.text = std::to_string(before) + " events before this are left out";
  events.insert(events.begin(), std::move(note));
  const int64_t moved = static_cast<int64_t>(before) - 1;
  for (size_t i = 1; i < events.size(); ++i) {
    events[i].index = i;
    int64_t& from = events[i].reads_from;
    from = from > moved ? from - moved : -1;
  }
}

TraceEvent& Recorder::Add(TraceEvent::Type type) {
  CompletePlainWrite();
  if (trace_->events.size() >= kMostEvents) [[unlikely]]
    LeaveOut();
  SimThread& me = *engine.current;
  TraceEvent& event = trace_->events.emplace_back();
  event.type = type;
  event.index = Mark() - 1;
  event.step.thread = me.id;
  event.step.operation = me.operation;
  event.enabled = engine.enabled();
  event.stack = StackOfRunningThread();
  event.held = HeldByRunningThread();
  return event;
}

std::vector<std::string> Recorder::HeldByRunningThread() {
  const SimThread& me = *engine.current;
  std::vector<std::string> held;
  for (const HeldLock& lock : me.held) {
    const char* const how = lock.kind == HeldKind::kShared      ? " for reading"
                            : lock.kind == HeldKind::kExclusive ? " for writing"
                                                                : "";
    held.push_back(std::string(HeldKindName(lock.kind)) + " " + NameOf(lock.lock) + how);
  }
  if (me.id < 0 || me.id >= engine.program().ThreadCount()) return held;
  std::string of_program = engine.program().HeldBy(me.id);
  if (!of_program.empty()) held.push_back(std::move(of_program));
  return held;
}

std::vector<uintptr_t> Recorder::StackOfRunningThread() {
  const SimThread& me = *engine.current;
  const int kept = std::min(me.call_depth, SimThread::kMaxCallStack);
  return {std::make_reverse_iterator(me.call_stack + kept),
          std::make_reverse_iterator(me.call_stack)};
}

Recorder::PickTaken Recorder::TakeSchedulePick() {
  const Engine::PickTaken pick = engine.TakeLastPick();
  return {PickKind::kSchedule, pick.alternatives, pick.choice};
}

std::string Recorder::Words(const PickTaken& pick) {
  return std::string("picks ") + PickKindName(pick.kind) + " " + std::to_string(pick.choice) +
         " of " + std::to_string(pick.alternatives);
}

void Recorder::SetPick(TraceEvent& event, const PickTaken& pick) {
  event.pick = pick.kind;
  event.alternatives = pick.alternatives;
  event.choice = pick.choice;
}

void Recorder::NoteMemoryPick(PickKind kind, int alternatives, int choice) {
  const Backstage backstage;
  memory_picks_.push_back({kind, alternatives, choice});
}

int64_t Recorder::EventOfStep(int32_t step) const {
  const size_t place = static_cast<size_t>(step) - first_step_;
  return step >= 0 && place < events_of_steps_.size() ? events_of_steps_[place] : -1;
}

// The index of the event whose store was read.
void Recorder::RecordReadsFrom(TraceEvent& event) {
  const Step& step = event.step;
  if (engine.memory != nullptr) {
    if (read_ != kNoRead) event.reads_from = EventOfStep(read_);
    return;
  }
  // Everybody sees the newest store.
  const auto newest = newest_stores_.find(step.address);
  if (step.kind != StepKind::kStore && step.kind != StepKind::kPlainWrite)
    event.reads_from = newest != newest_stores_.end() ? newest->second : -1;
  if (Writes(step.kind)) newest_stores_[step.address] = static_cast<int64_t>(event.index);
}

void Recorder::RecordStep(const Step& step, uintptr_t pc) {
  const Backstage backstage;
  // An event has room for one pick. The first that is not benign is the step's; others that are not
  // stand before it.
  PickTaken own = TakeSchedulePick();
  for (const PickTaken& pick : memory_picks_) {
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
      event.text = Words(pick);
      SetPick(event, pick);
    }
  }
  memory_picks_.clear();
  TraceEvent& event = Add(TraceEvent::Type::kStep);
  event.step = step;
  event.pc = pc;
  SetPick(event, own);
  if (engine.memory != nullptr) {
    events_of_steps_.resize(engine.step() + 1 - first_step_, -1);
    events_of_steps_.back() = static_cast<int64_t>(event.index);
    if (step.size != 0 && !IsPlain(step.kind)) {
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
  const int thread = engine.current->id;
  const auto begin = reinterpret_cast<uintptr_t>(address);
  const Access access = {.kind = kind,
                         .address = begin,
                         .size = size,
                         .place = {.what = {},
                                   .thread = thread,
                                   .step = engine.step(),
                                   .pc = pc,
                                   .stack = StackOfRunningThread()}};
  const size_t granules = std::min(kMostGranules, ((begin + size - 1) >> 3) - (begin >> 3) + 1);
  for (size_t i = 0; i < granules; ++i) {
    std::vector<Access>& here = accesses_[(begin >> 3) + i];
    std::erase_if(here, [&](const Access& other) {
      return other.place.thread == thread && other.kind == kind && other.address == begin &&
             other.size == size;
    });
    here.push_back(access);  // the latest stand last
  }
}

void Recorder::AddPlaceOfEarlierAccess(const memory::Race& race) {
  const Backstage backstage;
  const std::vector<Access>& here = accesses_[race.earlier_address >> 3];
  const uintptr_t end = race.earlier_address + race.earlier_size;
  const auto find = [&](bool whole) {
    return std::find_if(here.rbegin(), here.rend(), [&](const Access& other) {
      const uintptr_t other_end = other.address + other.size;
      const bool matches = whole ? other.address <= race.earlier_address && end <= other_end
                                 : other.address < end && race.earlier_address < other_end;
      return matches && other.place.thread == race.earlier_thread &&
             other.kind == race.earlier_kind;
    });
  };
  auto access = find(/*whole=*/true);
  // What is known of it may be of several accesses, to one part each.
  if (access == here.rend()) access = find(/*whole=*/false);
  if (access == here.rend()) return;
  trace_->places.push_back(access->place);
  const bool uses_lock = race.of_lock && access->kind == memory::AccessKind::kAtomicRead;
  trace_->places.back().what =
      std::string("the ") + (uses_lock ? "use of the lock" : memory::AccessKindName(access->kind));
}

void Recorder::RecordEnd() {
  const Backstage backstage;
  TraceEvent& event = Add(TraceEvent::Type::kStep);
  event.step.kind = StepKind::kThreadEnd;
  SetPick(event, TakeSchedulePick());
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
  const bool of_allocation = kind == PickKind::kAllocationFailure;
  const bool of_wait = kind == PickKind::kSpuriousWakeUp;
  const bool of_handler = kind == PickKind::kSignalHandler;
  if ((of_allocation || of_wait || of_handler) && choice == 0) return;  // nothing to tell
  const Backstage backstage;
  TraceEvent& event = Add(TraceEvent::Type::kNote);
  const PickTaken pick = {kind, alternatives, choice};
  event.text = of_allocation ? "an allocation fails"
               : of_wait     ? "will wake up for no reason, unless somebody wakes it before"
               : of_handler  ? "will handle the signal behind its next step"
                             : Words(pick);
  SetPick(event, pick);
}

void Recorder::Text(TraceEvent::Type type, std::string_view text, uintptr_t pc) {
  const Backstage backstage;
  TraceEvent& event = Add(type);
  event.text = text;
  event.pc = pc;
}

void Recorder::AddHeapEvent(const Block& block, bool allocated, uintptr_t pc) {
  const Backstage backstage;
  BlockPlaces& places = blocks_[block.begin()];
  (allocated ? places.allocated : places.freed) = {.what = allocated ? "allocated" : "freed",
                                                   .thread = engine.current->id,
                                                   .step = engine.step(),
                                                   .pc = pc,
                                                   .stack = StackOfRunningThread()};
}

void Recorder::NoteHeld(const void* lock, std::string_view what, uintptr_t pc) {
  const Backstage backstage;
  const int thread = engine.current->id;
  std::erase_if(taken_, [&](const Taken& taken) {
    return taken.lock == lock && taken.place.thread == thread;
  });
  taken_.push_back({.lock = lock,
                    .place = {.what = std::string(what) + " taken",
                              .thread = thread,
                              .step = engine.step() + 1,
                              .pc = pc,
                              .stack = StackOfRunningThread()}});
}

void Recorder::AddPlaceOfHeld(int thread, const void* lock) {
  const Backstage backstage;
  for (const Taken& taken : taken_) {
    if (taken.lock != lock || taken.place.thread != thread) continue;
    const bool known =
        std::any_of(trace_->places.begin(), trace_->places.end(), [&](const TracePlace& place) {
          return place.thread == thread && place.step == taken.place.step &&
                 place.what == taken.place.what;
        });
    if (!known) trace_->places.push_back(taken.place);
  }
}

void Recorder::AddPlacesOfNesting(const LockNesting& nesting, std::vector<TracePlace>& places) {
  const Backstage backstage;
  const auto is_outer = [&](const Taken& taken) {
    return taken.lock == nesting.outer.lock && taken.place.thread == nesting.thread;
  };
  const auto outer = std::find_if(taken_.rbegin(), taken_.rend(), is_outer);
  places.push_back(outer != taken_.rend() ? outer->place : TracePlace{});
  places.back().what = NameOf(nesting.outer.lock) + " taken";
  places.push_back({.what = NameOf(nesting.inner.lock) + " taken while it was held",
                    .thread = nesting.thread,
                    .step = nesting.inner_step,
                    .pc = nesting.inner_pc,
                    .stack = StackOfRunningThread()});
  for (const LockNesting::Lock& lock : {nesting.outer, nesting.inner}) {
    TracePlace& place = places.emplace_back();
    const Block* const block = engine.arena.LiveBlockAround(reinterpret_cast<uintptr_t>(lock.lock));
    const auto places = block != nullptr ? blocks_.find(block->begin()) : blocks_.end();
    if (places == blocks_.end() || places->second.allocated.what.empty()) continue;
    place = places->second.allocated;
    place.what = "memory of " + NameOf(lock.lock) + " allocated";
  }
}

void Recorder::NoteCreation(int child, uintptr_t pc) {
  const Backstage backstage;
  created_.resize(child + 1);
  created_[child] = {.what = "created",
                     .thread = engine.current->id,
                     .step = engine.step(),
                     .pc = pc,
                     .stack = StackOfRunningThread()};
}

void Recorder::AddPlaceOfCreation(int thread) {
  const Backstage backstage;
  if (static_cast<size_t>(thread) < created_.size()) trace_->places.push_back(created_[thread]);
}

void Recorder::AddPlacesOf(const Block& block) {
  const Backstage backstage;
  const auto found = blocks_.find(block.begin());
  if (found == blocks_.end()) return;
  const auto& [allocated, freed] = found->second;
  if (block.state != Block::State::kLive && !freed.what.empty()) trace_->places.push_back(freed);
  if (!allocated.what.empty()) trace_->places.push_back(allocated);
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
