#include "jacquard/difference.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "sim/symbolize.h"

namespace jacquard::call {
namespace {

// What is easily overlooked where a lock under test is a member of a fixture.
constexpr std::string_view kMemoryOutside =
    "memory outside of the body that an execution has left changed (members of a fixture, for "
    "instance)";

bool IsStep(const TraceEvent& event) { return event.type == TraceEvent::Type::kStep; }

bool SamePlace(const TraceEvent& one, const TraceEvent& other) {
  return one.type == other.type && one.step.thread == other.step.thread &&
         one.step.kind == other.step.kind && one.pc == other.pc;
}

bool SameValues(const TraceEvent& one, const TraceEvent& other) {
  return one.step.address == other.step.address && one.step.old_value == other.step.old_value &&
         one.step.new_value == other.step.new_value;
}

// " at counter.cc:12"; "" if that is not known.
std::string At(const TraceEvent& event) {
  std::vector<uintptr_t> pcs = {event.pc};
  pcs.insert(pcs.end(), event.stack.begin(), event.stack.end());
  for (const uintptr_t pc : pcs) {
    if (pc == 0) continue;
    for (const SourceFrame& frame : Symbolize(pc)) {
      if (IsLibraryFrame(frame)) continue;
      const std::string location = SourceLocation(frame);
      if (!location.empty()) return fmt::format(" at {}", location);
    }
  }
  return {};
}

std::string What(const TraceEvent& event) {
  if (!IsStep(event)) return fmt::format("thread {}{}", event.step.thread, At(event));
  return fmt::format("the {} of thread {}{}", StepKindName(event.step.kind), event.step.thread,
                     At(event));
}

// User space on x86-64 above the executable and its heap: the C library's heap, mappings, stacks.
bool LooksLikeAddress(uint64_t value) {
  return value >= 0x1000'0000'0000 && value < 0x8000'0000'0000;
}

std::string DescribeValues(const TraceEvent& one, const TraceEvent& other) {
  if (one.step.address != other.step.address) {
    return fmt::format(
        "it goes to {} one time and to {} the next: something that is not under control "
        "decides, as an address, or a clock or a counter of the processor",
        one.step.address, other.step.address);
  }
  const bool old_differs = one.step.old_value != other.step.old_value;
  const uint64_t first = old_differs ? one.step.old_value : one.step.new_value;
  const uint64_t second = old_differs ? other.step.old_value : other.step.new_value;
  std::string reason = "the thread has computed it from something that is not under control";
  if (LooksLikeAddress(first) && LooksLikeAddress(second)) {
    reason = "it looks like an address";
  } else if (one.step.kind == StepKind::kClock) {
    reason = "it is the time";
  } else if (old_differs) {
    reason = fmt::format("code without the hooks has written it, or it is {}", kMemoryOutside);
  }
  return fmt::format("{} {:#x} one time and {:#x} the next: {}",
                     old_differs ? "it finds" : "it stores", first, second, reason);
}

}  // namespace

std::string DescribeDifference(const Trace& one, const Trace& other) {
  const size_t common = std::min(one.events.size(), other.events.size());
  uint64_t steps = 0;
  size_t at = 0;
  for (; at < common; ++at) {
    const TraceEvent& event = one.events[at];
    if (!SamePlace(event, other.events[at])) break;
    steps += IsStep(event);
    // What a thread stores may well differ without making a difference, as a pointer does; but
    // where the two part later, this is where it began.
    if (!SameValues(event, other.events[at])) {
      return fmt::format("the first step that differs is step {}, {}: {}", steps, What(event),
                         DescribeValues(event, other.events[at]));
    }
  }
  const std::string unseen = fmt::format(
      "a thread has read something that makes no step: a clock or a counter of the processor, an "
      "address, what code without the hooks has written or returned, a file that an earlier "
      "execution has left, or {}",
      kMemoryOutside);
  if (at == common && one.events.size() == other.events.size())
    return "recorded, two repetitions did not differ in any step, so before that " + unseen;
  const std::string first = at < one.events.size() ? What(one.events[at]) : "the end";
  const std::string second = at < other.events.size() ? What(other.events[at]) : "the end";
  return fmt::format(
      "the first step that differs is step {}: {} one time, {} the next. All values before it are "
      "equal, so {}",
      steps + 1, first, second, unseen);
}

Verdict NondeterministicVerdict(const std::string& what, const std::string& difference) {
  Verdict verdict;
  verdict.kind = VerdictKind::kNondeterministic;
  verdict.signature = "nondeterministic";
  verdict.message = what.empty() ? "repeated with the same choices, an execution that passes "
                                   "goes another way"
                                 : what;
  if (!difference.empty()) verdict.message += "; " + difference;
  return verdict;
}

Verdict NoStepVerdict() {
  Verdict verdict;
  verdict.kind = VerdictKind::kUnsupported;
  verdict.signature = "unsupported|no instrumented step";
  verdict.message =
      "no instrumented step ever happened: the code under test was built without the hooks "
      "(build it with jacquard_cc_test, jacquard_cc_binary or cc_fuzz_test), or it has no atomic "
      "operation and no call into the thread library, or has it only in constructors or "
      "destructors of globals (constructors=each)";
  return verdict;
}

}  // namespace jacquard::call
