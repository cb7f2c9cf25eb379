// FormatJson: the schema is in docs/trace_json.md; what is added there must be optional for
// readers.
#include "sim/json.h"

#include <fmt/format.h>

#include <cstddef>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "sim/decisions.h"
#include "sim/names.h"
#include "sim/report.h"
#include "sim/step_text.h"
#include "sim/trace_view.h"

namespace jacquard {
namespace {

using nlohmann::ordered_json;
using sim::StepText;
using sim::TraceView;

constexpr int kSchemaVersion = 1;
// Each is found by going through the trace; more than that nobody reads.
constexpr size_t kMostDecisions = 1000;

// Addresses and values are texts: JSON's numbers lose the low bits of 64.
std::string Hexadecimal(uint64_t value) { return fmt::format("{:#x}", value); }

// A text in full or, if it is empty, nothing.
void AddText(ordered_json& object, const char* key, const std::string& text) {
  if (!text.empty()) object[key] = text;
}

ordered_json VerdictObject(const Verdict& verdict, const TraceView& view) {
  ordered_json object = {{"kind", VerdictKindName(verdict.kind)},
                         {"message", verdict.message},
                         {"signature", verdict.signature},
                         {"thread", verdict.thread},
                         {"step", verdict.step}};
  if (view.violating() != TraceView::kNowhere) object["event"] = view.violating();
  return object;
}

ordered_json StepObject(const TraceEvent& event) {
  const Step& step = event.step;
  ordered_json object = {{"kind", StepKindName(step.kind)}};
  // Only where an order was given: accesses to atomics, and fences.
  const bool is_access = step.kind == StepKind::kLoad || (Writes(step.kind) && !IsPlain(step.kind));
  if (is_access || step.kind == StepKind::kFence) object["order"] = MemoryOrderName(step.order);
  if (step.size != 0) object["size"] = step.size;
  if (step.address != nullptr)
    object["address"] = Hexadecimal(reinterpret_cast<uintptr_t>(step.address));
  AddText(object, "name", event.name);
  object["old"] = Hexadecimal(step.old_value);
  object["new"] = Hexadecimal(step.new_value);
  AddText(object, "old_text", event.old_text);
  AddText(object, "new_text", event.new_text);
  if (!step.newest) object["newest"] = false;
  if (event.reads_from >= 0) object["reads_from"] = event.reads_from;
  return object;
}

void AddStack(ordered_json& object, uintptr_t pc, const std::vector<uintptr_t>& stack) {
  if (pc != 0) object["pc"] = Hexadecimal(pc);
  if (stack.empty()) return;
  ordered_json array = ordered_json::array();
  for (const uintptr_t caller : stack) array.push_back(Hexadecimal(caller));
  object["stack"] = std::move(array);
}

ordered_json EventObject(const TraceView& view, const StepText& words, size_t at) {
  const TraceEvent& event = view.event(at);
  ordered_json object = {{"type", sim::EventTypeName(event.type)}, {"thread", event.step.thread}};
  if (event.step.operation >= 0) object["operation"] = event.step.operation;
  AddText(object, "text", event.text);
  if (view.IsStep(at)) object["number"] = view.step_number(at);
  if (event.type == TraceEvent::Type::kStep) {
    object["words"] = words.Of(event);
    object["step"] = StepObject(event);
  }
  if (!event.held.empty()) object["held"] = event.held;
  if (!view.IsOfInterest(at)) object["dull"] = true;
  if (event.alternatives > 0) {
    object["pick"] = {{"kind", sim::PickKindName(event.pick)},
                      {"alternatives", event.alternatives},
                      {"choice", event.choice}};
  }
  if (event.enabled != 0) {
    ordered_json threads = ordered_json::array();
    for (const int thread : MembersOf(event.enabled)) threads.push_back(thread);
    object["enabled"] = std::move(threads);
  }
  AddStack(object, event.pc, event.stack);
  return object;
}

ordered_json PlaceObject(const TracePlace& place) {
  ordered_json object = {{"what", place.what}, {"thread", place.thread}, {"step", place.step}};
  AddStack(object, place.pc, place.stack);
  return object;
}

// Every program counter of the trace, with its functions, once.
ordered_json FramesObject(const Trace& trace, const FrameLookup& lookup) {
  ordered_json object = ordered_json::object();
  if (!lookup) return object;
  std::set<uintptr_t> counters;
  for (const TraceEvent& event : trace.events) {
    counters.insert(event.pc);
    counters.insert(event.stack.begin(), event.stack.end());
  }
  for (const TracePlace& place : trace.places) {
    counters.insert(place.pc);
    counters.insert(place.stack.begin(), place.stack.end());
  }
  counters.erase(0);
  for (const uintptr_t pc : counters) {
    ordered_json frames = ordered_json::array();
    for (const SourceFrame& frame : lookup(pc)) {
      ordered_json entry = {{"function", frame.function}};
      AddText(entry, "file", frame.file);
      if (frame.line != 0) entry["line"] = frame.line;
      if (frame.inlined) entry["inlined"] = true;
      if (IsLibraryFrame(frame)) entry["library"] = true;
      frames.push_back(std::move(entry));
    }
    object[Hexadecimal(pc)] = std::move(frames);
  }
  return object;
}

}  // namespace

std::string sim::TraceJson(const Verdict& verdict, const Trace& trace, const ReportOptions& options,
                           int indent) {
  const TraceView view(trace, verdict);
  const StepText words(options.timeline.symbolize, /*ascii=*/false);
  ordered_json document = {{"jacquard_trace", kSchemaVersion},
                           {"verdict", VerdictObject(verdict, view)}};
  AddText(document, "replay", options.replay_command);
  document["threads"] = trace.threads;
  document["fingerprint"] = Hexadecimal(trace.Fingerprint());
  ordered_json events = ordered_json::array();
  for (size_t at = 0; at < view.size(); ++at) events.push_back(EventObject(view, words, at));
  document["events"] = std::move(events);
  document["decisions"] = sim::DescribeDecisions(view, words, kMostDecisions).sentences;
  if (!trace.places.empty()) {
    ordered_json places = ordered_json::array();
    for (const TracePlace& place : trace.places) places.push_back(PlaceObject(place));
    document["places"] = std::move(places);
  }
  document["frames"] = FramesObject(trace, options.timeline.symbolize);
  // What the harness calls its objects may not be UTF-8.
  return document.dump(indent, ' ', false, ordered_json::error_handler_t::replace);
}

std::string FormatJson(const Verdict& verdict, const Trace& trace, const ReportOptions& options) {
  return sim::TraceJson(verdict, trace, options, 1) + "\n";
}

}  // namespace jacquard
