#include "sim/step_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "sim/names.h"
#include "sim/wake_up.h"

namespace jacquard::sim {
namespace {

// Small numbers are counts and look the same in every base; others are words with bits in them.
std::string Value(uint64_t value) {
  return value < 10 ? fmt::format("{}", value) : fmt::format("{:#x}", value);
}

std::string ValueOr(const std::string& text, uint64_t value) {
  return text.empty() ? Value(value) : text;
}

// Of an operation that does not wait, or not for ever.
std::string Try(uint64_t outcome, std::string_view does, std::string_view does_not) {
  if (outcome == kTimeIsOver) return fmt::format("{} in time", does_not);
  return fmt::format("{} (try)", outcome != 0 ? does : does_not);
}

}  // namespace

std::string StepText::Object(const TraceEvent& event) const {
  if (!event.name.empty()) return Clean(event.name);
  return fmt::format("{:#x}", reinterpret_cast<uintptr_t>(event.step.address));
}

std::vector<SourceFrame> StepText::Stack(const TraceEvent& event) const {
  std::vector<SourceFrame> stack;
  if (!lookup_) return stack;
  const auto append = [&](uintptr_t pc) {
    for (SourceFrame& frame : lookup_(pc)) {
      // Of other libraries' headers the innermost line, which is where it happens.
      if (!IsLibraryFrame(frame) || (stack.empty() && IsInstalledHeaderFrame(frame)))
        stack.push_back(std::move(frame));
    }
  };
  if (event.pc != 0) append(event.pc);
  for (const uintptr_t pc : event.stack) append(pc);
  if (stack.empty() && event.pc != 0) return lookup_(event.pc);
  return stack;
}

SourceFrame StepText::Where(const TraceEvent& event) const {
  if (event.pc == 0 || !lookup_) return {};
  for (SourceFrame& frame : lookup_(event.pc)) {
    if (!IsLibraryFrame(frame)) return std::move(frame);
  }
  // The step stands in the library, as those of a mutex: its caller is of interest.
  for (const uintptr_t pc : event.stack) {
    for (SourceFrame& frame : lookup_(pc)) {
      if (!IsLibraryFrame(frame)) return std::move(frame);
    }
  }
  return {};
}

std::string StepText::LibraryVerb(uintptr_t pc) const {
  if (pc == 0 || !lookup_) return {};
  const std::vector<SourceFrame> frames = lookup_(pc);
  if (frames.empty() || !IsLibraryFrame(frames.front())) return {};
  std::string_view name = frames.front().function;
  const size_t scope = name.rfind("::");
  if (scope != std::string_view::npos) name.remove_prefix(scope + 2);
  if (name.starts_with("compare_exchange_")) return "CAS";
  constexpr std::array<std::string_view, 7> kNames = {
      "exchange", "fetch_add", "fetch_sub", "fetch_and", "fetch_or", "fetch_xor", "test_and_set"};
  if (std::find(kNames.begin(), kNames.end(), name) != kNames.end()) return std::string(name);
  for (const std::string_view sign : {"++", "--", "+=", "-=", "&=", "|=", "^="}) {
    if (name == "operator" + std::string(sign)) return std::string(sign);
  }
  return {};
}

std::string StepText::Access(const TraceEvent& event) const {
  const Step& step = event.step;
  const std::string verb = LibraryVerb(event.pc);
  const std::string object = Object(event);
  const std::string order = MemoryOrderName(step.order);
  const std::string old_value = Clean(ValueOr(event.old_text, step.old_value));
  const std::string new_value = Clean(ValueOr(event.new_text, step.new_value));
  if (!Writes(step.kind)) {
    return fmt::format("{} = {} ({} {})", object, new_value, verb == "CAS" ? "failed CAS" : "load",
                       order);
  }
  const std::string what =
      step.kind == StepKind::kStore ? std::string("store") : (verb.empty() ? "RMW" : verb);
  return fmt::format("{} {}{}{} ({} {})", object, old_value, glyphs().arrow, new_value, what,
                     order);
}

std::string StepText::PlainAccess(const TraceEvent& event) const {
  const Step& step = event.step;
  const bool writes = Writes(step.kind);
  const std::string object = Object(event);
  if (step.size > sizeof(step.new_value)) {
    return fmt::format("{} ({} of {} bytes{})", object, writes ? "plain write" : "plain read",
                       step.size, step.size == UINT8_MAX ? " or more" : "");
  }
  const std::string new_value = Clean(ValueOr(event.new_text, step.new_value));
  if (!writes) return fmt::format("{} = {} (plain read)", object, new_value);
  const std::string old_value = Clean(ValueOr(event.old_text, step.old_value));
  return fmt::format("{} {}{}{} (plain write)", object, old_value, glyphs().arrow, new_value);
}

std::string StepText::Of(const TraceEvent& event) const {
  const Step& step = event.step;
  if (event.type != TraceEvent::Type::kStep) return Clean(event.text);
  switch (step.kind) {
    case StepKind::kLoad:
    case StepKind::kStore:
    case StepKind::kReadModifyWrite:
      return Access(event);
    case StepKind::kPlainRead:
    case StepKind::kPlainWrite:
      return PlainAccess(event);
    case StepKind::kFence:
      return fmt::format("fence {}", MemoryOrderName(step.order));
    case StepKind::kFutexWait:
      return step.new_value == 0
                 ? fmt::format("goes to sleep on {}", Object(event))
                 : fmt::format("does not sleep on {}: its value has changed", Object(event));
    case StepKind::kFutexWakeUp:
    case StepKind::kConditionWakeUp:
      if (step.new_value == kCancelled)
        return fmt::format("wakes up from {} to be cancelled", Object(event));
      if (step.new_value == kWoken) return fmt::format("woken up from {}", Object(event));
      return step.new_value == kTimedOut
                 ? fmt::format("its wait on {} times out", Object(event))
                 : fmt::format("wakes up from {} although nobody has woken it", Object(event));
    case StepKind::kFutexWake:
    case StepKind::kConditionNotify:
      return fmt::format("wakes {} sleeping on {}",
                         step.new_value == 0 ? "nobody" : fmt::format("{}", step.new_value),
                         Object(event));
    case StepKind::kMutexLock:
      return fmt::format("locks mutex {}", Object(event));
    case StepKind::kMutexTryLock:
      return Try(step.new_value, "locks mutex " + Object(event),
                 "cannot lock mutex " + Object(event));
    case StepKind::kMutexUnlock:
      return fmt::format("unlocks mutex {}", Object(event));
    case StepKind::kSharedLock:
      return fmt::format("locks {} shared", Object(event));
    case StepKind::kSharedTryLock:
      return Try(step.new_value, fmt::format("locks {} shared", Object(event)),
                 fmt::format("cannot lock {} shared", Object(event)));
    case StepKind::kSharedUnlock:
      return fmt::format("unlocks {} shared", Object(event));
    case StepKind::kConditionWait:
      return fmt::format("releases the mutex and goes to sleep on {}", Object(event));
    case StepKind::kSemaphoreWait:
      return fmt::format("takes one from semaphore {}, leaving {}", Object(event), step.new_value);
    case StepKind::kSemaphoreTryWait:
      return Try(step.new_value, "takes one from semaphore " + Object(event),
                 fmt::format("semaphore {} has none", Object(event)));
    case StepKind::kSemaphorePost:
      return fmt::format("posts semaphore {}, which has {} now", Object(event), step.new_value);
    case StepKind::kBarrierArrive:
      return fmt::format("arrives at barrier {} ({} there)", Object(event), step.new_value);
    case StepKind::kBarrierLeave:
      return fmt::format("leaves barrier {}", Object(event));
    case StepKind::kThreadCreate:
      return fmt::format("creates thread {}", step.new_value);
    case StepKind::kThreadJoin:
      return fmt::format("has joined thread {}", step.new_value);
    case StepKind::kThreadEnd:
      return "ends";
    case StepKind::kDestroy:
      return fmt::format("destroys {}", Object(event));
    case StepKind::kFileInput:
      if (step.new_value == kNoFileInTime) return "looks at descriptors: none is ready in time";
      return step.new_value == kSeveralFiles
                 ? "looks which descriptors are ready"
                 : fmt::format("reads from descriptor {}", step.new_value);
    case StepKind::kFileOutput:
      return fmt::format("writes to descriptor {}", step.new_value);
    case StepKind::kFileClose:
      return fmt::format("closes descriptor {}", step.new_value);
    case StepKind::kSignalSend: {
      const std::string name = SignalName(static_cast<int>(step.new_value));
      if (step.old_value == kToProcess) return fmt::format("sends {} to the process", name);
      return fmt::format("sends {} to thread {}", name, step.old_value);
    }
    case StepKind::kSignalWait:
      if (step.new_value == 0) return "gets no signal in time";
      return fmt::format("takes {}", SignalName(static_cast<int>(step.new_value)));
    case StepKind::kExit:
      return "ends the program";
    case StepKind::kYield:
      return "yields";
    case StepKind::kSleep:
      return "has slept";
    case StepKind::kClock:
      return "reads the clock";
    case StepKind::kOther:
      if (step.address != nullptr) return fmt::format("uses {}", Object(event));
      break;
  }
  return StepKindName(step.kind);
}

std::string StepText::Pending(const TraceEvent& event) const {
  const Step& step = event.step;
  if (event.type == TraceEvent::Type::kBlocked && step.kind != StepKind::kMutexLock)
    return fmt::format("be blocked: {}", Clean(event.text));
  switch (step.kind) {
    case StepKind::kLoad:
    case StepKind::kStore:
    case StepKind::kReadModifyWrite: {
      std::string verb = LibraryVerb(event.pc);
      if (verb.empty()) verb = step.kind == StepKind::kReadModifyWrite ? "RMW" : "";
      if (verb.empty()) verb = StepKindName(step.kind);
      return fmt::format("{} {}", verb, Object(event));
    }
    case StepKind::kPlainRead:
      return fmt::format("read {} plainly", Object(event));
    case StepKind::kPlainWrite:
      return fmt::format("write {} plainly", Object(event));
    case StepKind::kFutexWait:
      return fmt::format("sleep on {}", Object(event));
    case StepKind::kFutexWakeUp:
    case StepKind::kConditionWakeUp:
      return fmt::format("wake up from {}", Object(event));
    case StepKind::kFutexWake:
    case StepKind::kConditionNotify:
      return fmt::format("wake who sleeps on {}", Object(event));
    case StepKind::kMutexLock:
      return fmt::format("lock mutex {}", Object(event));
    case StepKind::kMutexTryLock:
      return fmt::format("try-lock mutex {}", Object(event));
    case StepKind::kMutexUnlock:
      return fmt::format("unlock mutex {}", Object(event));
    case StepKind::kSharedLock:
      return fmt::format("lock {} shared", Object(event));
    case StepKind::kSharedTryLock:
      return fmt::format("try-lock {} shared", Object(event));
    case StepKind::kSharedUnlock:
      return fmt::format("unlock {} shared", Object(event));
    case StepKind::kConditionWait:
      return fmt::format("release the mutex and sleep on {}", Object(event));
    case StepKind::kSemaphoreWait:
      return fmt::format("take one from semaphore {}", Object(event));
    case StepKind::kSemaphoreTryWait:
      return fmt::format("try to take one from semaphore {}", Object(event));
    case StepKind::kSemaphorePost:
      return fmt::format("post semaphore {}", Object(event));
    case StepKind::kBarrierArrive:
      return fmt::format("arrive at barrier {}", Object(event));
    case StepKind::kBarrierLeave:
      return fmt::format("leave barrier {}", Object(event));
    case StepKind::kThreadCreate:
      return "create a thread";
    case StepKind::kThreadJoin:
      return fmt::format("join thread {}", step.new_value);
    case StepKind::kThreadEnd:
      return "end";
    case StepKind::kDestroy:
      return fmt::format("destroy {}", Object(event));
    case StepKind::kFileInput:
      return "read from a descriptor";
    case StepKind::kFileOutput:
      return "write to a descriptor";
    case StepKind::kFileClose:
      return "close a descriptor";
    case StepKind::kSignalSend:
      return "send a signal";
    case StepKind::kSignalWait:
      return "wait for a signal";
    case StepKind::kExit:
      return "end the program";
    case StepKind::kFence:
      return fmt::format("fence {}", MemoryOrderName(step.order));
    case StepKind::kYield:
      return "yield";
    case StepKind::kSleep:
      return "go on after its sleep";
    case StepKind::kClock:
      return "read the clock";
    case StepKind::kOther:
      break;
  }
  return "go on";
}

}  // namespace jacquard::sim
