// pages EXAMPLE [STEPS]: prints the page of a trace that was made by hand, for the browser test and
// for the figure timeline_first_paint.
//
//   lost_update  two threads in overlapping operations, a read from the other thread, a mutex, a
//                violated invariant
//   hostile      names and messages that would end the script, or be elements
//   long         STEPS steps of four threads, ending in a deadlock
//   empty        no events
//   verdict      no events, but a verdict
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "sim/report.h"
#include "tests/sim/trace_builder.h"

namespace jacquard {
namespace {

struct Example {
  TraceBuilder trace;
  Verdict verdict;
};

Example LostUpdate() {
  Example example;
  TraceBuilder& b = example.trace;
  b.Begin(0, "add(1)");
  b.Step(0, StepKind::kMutexLock, "log", 0, 0, MemoryOrder::kSeqCst, "Log::Write").held = {
      "mutex log"};
  TraceEvent& first =
      b.Load(0, "counter", 0, MemoryOrder::kRelaxed, "std::atomic<int>::load|Counter::Add");
  first.old_text = first.new_text = "zero";
  first.held = {"mutex log"};
  b.Begin(1, "add(2)");
  TraceEvent& second =
      b.Load(1, "counter", 0, MemoryOrder::kRelaxed, "std::atomic<int>::load|Counter::Add");
  second.old_text = second.new_text = "zero";
  second.enabled = 3;
  b.Switched();
  TraceEvent& store =
      b.Step(1, StepKind::kStore, "counter", 0, 2, MemoryOrder::kRelease, "Counter::Add");
  store.old_text = "zero";
  store.new_text = "two";
  b.Step(1, StepKind::kStore, "own", 0, 7, MemoryOrder::kRelaxed, "Counter::Add");
  b.End(1, "ok");
  b.Step(1, StepKind::kThreadEnd);
  TraceEvent& load =
      b.Load(0, "counter", 2, MemoryOrder::kAcquire, "std::atomic<int>::load|Counter::Check");
  load.old_text = load.new_text = "two";
  load.reads_from = 5;
  load.held = {"mutex log"};
  TraceEvent& last =
      b.Step(0, StepKind::kStore, "counter", 2, 1, MemoryOrder::kRelaxed, "Counter::Add");
  last.old_text = "two";
  last.new_text = "one";
  last.held = {"mutex log"};
  b.Stack({"main"});
  example.verdict = {.kind = VerdictKind::kInvariant,
                     .message = "updates are not lost",
                     .signature = "invariant|updates are not lost|add",
                     .thread = 0,
                     .step = 7};
  return example;
}

constexpr const char* kHostile =
    "</script><script>document.title='broken'</script><!--\"'&\\{{trace}}";

Example Hostile() {
  Example example;
  TraceBuilder& b = example.trace;
  b.Begin(0, kHostile);
  b.Step(0, StepKind::kStore, kHostile, 0, 1, MemoryOrder::kRelaxed, kHostile).new_text = kHostile;
  b.trace().events.back().held = {kHostile};
  b.Note(0, std::string(kHostile) + "\xff\x01");
  b.End(0, kHostile);
  example.verdict = {.kind = VerdictKind::kInvariant,
                     .message = kHostile,
                     .signature = kHostile,
                     .thread = 0,
                     .step = 1};
  return example;
}

Example Long(int steps) {
  Example example;
  TraceBuilder& b = example.trace;
  int64_t last_store = -1;
  for (int i = 0; i < steps; ++i) {
    const int thread = i / 7 % 4;
    const std::string name = "vma" + std::to_string(i % 3) + ".refcount";
    if (i % 14 == 0 && i > 60) b.Switched();
    if (i % 28 < 4) b.Begin(thread, "start_read(vma" + std::to_string(i % 3) + ")");
    if (i % 5 == 0) {
      b.Step(thread, StepKind::kReadModifyWrite, name, i, i + 1, MemoryOrder::kAcqRel,
             "std::atomic<int>::fetch_add|Refcount::Increment")
          .new_text = "attached, " + std::to_string(i) + " readers";
      last_store = static_cast<int64_t>(b.trace().events.size()) - 1;
    } else {
      b.Load(thread, name, i, MemoryOrder::kAcquire, "std::atomic<int>::load|Refcount::Get")
          .reads_from = last_store;
    }
    b.trace().events.back().enabled = 15;
    b.Stack({"VmaLock::StartRead", "Scenario::StartRead", "main"});
    if (i % 28 > 23) b.End(thread, "ok");
  }
  b.Blocked(0, "waits for the mutex a");
  example.verdict = {.kind = VerdictKind::kDeadlock,
                     .message = "no thread can go on",
                     .signature = "deadlock|a",
                     .step = static_cast<uint64_t>(steps)};
  return example;
}

int Print(std::string_view name, int steps) {
  Example example;
  if (name == "lost_update") {
    example = LostUpdate();
  } else if (name == "hostile") {
    example = Hostile();
  } else if (name == "long") {
    example = Long(steps);
  } else if (name == "verdict") {
    example.verdict = {.kind = VerdictKind::kUnsupported, .message = "no trace", .signature = "s"};
  } else if (name != "empty") {
    std::fprintf(stderr, "pages: there is no example of that name\n");
    return 2;
  }
  ReportOptions options;
  options.timeline.symbolize = example.trace.Lookup();
  options.replay_command = "replay it";
  const std::string page = FormatHtml(example.verdict, example.trace.trace(), options);
  return std::fwrite(page.data(), 1, page.size(), stdout) == page.size() ? 0 : 1;
}

}  // namespace
}  // namespace jacquard

int main(int argc, char** argv) {
  return jacquard::Print(argc > 1 ? argv[1] : "", argc > 2 ? std::atoi(argv[2]) : 10'000);
}
