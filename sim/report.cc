// FormatReport: one function for each part of the text, in the order in which they are read.
#include "sim/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "sim/decisions.h"
#include "sim/step_text.h"
#include "sim/text.h"
#include "sim/trace_view.h"

namespace jacquard {
namespace {

using sim::StepText;
using sim::TraceView;

constexpr size_t kMostDecisions = 40;
constexpr size_t kMostFrames = 16;
constexpr size_t kLongestFunction = 60;

class Report {
 public:
  Report(const Verdict& verdict, const Trace& trace, const ReportOptions& options)
      : verdict_(verdict),
        options_(options),
        view_(trace, verdict),
        words_(options.timeline.symbolize, options.timeline.ascii) {}

  std::string Write() {
    WriteHead();
    if (view_.size() != 0) {
      if (!verdict_.passed()) {
        WriteWhere();
        WritePlaces();
      }
      WriteTimeline();
      WriteDecisions();
    }
    WriteFoot();
    return std::move(out_);
  }

 private:
  template <class... Arguments>
  void Line(fmt::format_string<Arguments...> format, Arguments&&... arguments) {
    sim::AppendLine(out_, fmt::format(format, std::forward<Arguments>(arguments)...));
  }

  void WriteHead() {
    const std::string message = sim::Printable(verdict_.message, words_.ascii(), 2000);
    const char* kind = VerdictKindName(verdict_.kind);
    if (message.empty()) {
      Line("{}", kind);
    } else {
      Line("{}: {}", kind, message);
    }
    if (verdict_.kind == VerdictKind::kUnsupported)
      Line("This is a limit of the simulation, not a bug of the code under test.");
  }

  // ---- where

  void WriteWhere() {
    Line("");
    if (verdict_.is_of_all()) {
      WriteEveryThread();
      return;
    }
    const size_t violating = view_.violating();
    if (violating != TraceView::kNowhere) {
      const TraceEvent& event = view_.event(violating);
      Line("Where: thread {}, step {}: {}", event.step.thread, view_.step_number(violating),
           words_.Of(event));
      WriteStack(event);
      WriteOperation(violating);
      return;
    }
    const size_t last = view_.LastOf(verdict_.thread);
    if (verdict_.thread < 0 || last == TraceView::kNowhere) {
      Line("Where: {}, after step {}", verdict_.step == 0 ? "at the beginning" : "at the end",
           verdict_.step);
      // The harness's call stack is of interest where the harness itself did it.
      if (last != TraceView::kNowhere && view_.event(last).pc != 0) WriteStack(view_.event(last));
      return;
    }
    const TraceEvent& event = view_.event(last);
    Line("Where: thread {}, after its last event: {}", verdict_.thread, words_.Of(event));
    WriteStack(event);
    WriteOperation(last);
  }

  // Where the memory was allocated and freed that the verdict is about.
  void WritePlaces() {
    for (const TracePlace& place : view_.trace().places) {
      std::string what = words_.Clean(place.what);
      if (!what.empty() && what[0] >= 'a' && what[0] <= 'z') what[0] -= 'a' - 'A';
      const std::string who =
          place.thread < 0 ? std::string("the harness") : fmt::format("thread {}", place.thread);
      Line("{} by {}, after step {}:", what, who, place.step);
      TraceEvent event;
      event.pc = place.pc;
      event.stack = place.stack;
      WriteStack(event);
    }
  }

  void WriteEveryThread() {
    Line("Where every thread is:");
    std::set<int> threads;
    for (int thread = 0; thread < view_.trace().threads; ++thread) threads.insert(thread);
    for (const auto& [thread, place] : view_.threads()) threads.insert(thread);
    for (const int thread : threads) WriteThread(thread);
    WriteCycle();
  }

  // Where the thread is. A note of no place, as that nobody can run, is about all of them; and one
  // behind the beginning of a wait says that the wait closes a circle.
  size_t PlaceOf(int thread) const {
    const size_t last = view_.LastOf(thread);
    size_t place = TraceView::kNowhere;
    for (size_t at = last; at != TraceView::kNowhere; at = at == 0 ? TraceView::kNowhere : at - 1) {
      const TraceEvent& event = view_.event(at);
      const bool is_note = event.type == TraceEvent::Type::kNote;
      if (event.step.thread != thread || (is_note && event.pc == 0)) continue;
      if (place != TraceView::kNowhere)
        return event.type == TraceEvent::Type::kBlocked ? at : place;
      place = at;
      if (!is_note) break;
    }
    return place != TraceView::kNowhere ? place : last;
  }

  void WriteThread(int thread) {
    const size_t last = PlaceOf(thread);
    if (last == TraceView::kNowhere) {
      Line("  thread {} has not run", thread);
      return;
    }
    const TraceEvent& event = view_.event(last);
    const bool is_step = event.type == TraceEvent::Type::kStep;
    if (is_step && event.step.kind == StepKind::kThreadEnd) {
      Line("  thread {} has ended", thread);
      return;
    }
    if (event.type == TraceEvent::Type::kBlocked) {
      const std::optional<Wait> wait = WaitOf(thread);
      std::string holder;
      const bool is_told = event.text.find(", held by ") != std::string::npos;
      if (wait && wait->since_step != 0 && !is_told)
        holder = fmt::format(" (thread {} has held it since step {})", wait->on, wait->since_step);
      Line("  thread {} {}{}", thread, words_.Clean(event.text), holder);
    } else {
      Line("  thread {}: {}", thread, words_.Of(event));
    }
    WriteStack(event);
    WriteOperation(last);
  }

  // For whom a thread waits at the end.
  struct Wait {
    int on;
    uint64_t since_step;  // since when that one holds the mutex; 0 if it is no mutex
  };

  // Only what the trace says for sure: the mutex that the blocked event names by its address, and
  // the thread that it wants to join.
  std::optional<Wait> WaitOf(int thread) const {
    const size_t last = PlaceOf(thread);
    if (last == TraceView::kNowhere) return {};
    const TraceEvent& blocked = view_.event(last);
    if (blocked.type != TraceEvent::Type::kBlocked) return {};
    if (blocked.step.kind == StepKind::kThreadJoin)
      return Wait{.on = static_cast<int>(blocked.step.new_value), .since_step = 0};
    if (blocked.step.kind != StepKind::kMutexLock || blocked.step.address == nullptr) return {};
    for (size_t at = view_.size(); at-- > 0;) {
      const TraceEvent& event = view_.event(at);
      if (event.type != TraceEvent::Type::kStep || event.step.address != blocked.step.address)
        continue;
      if (event.step.kind == StepKind::kMutexUnlock) return {};
      const bool took = event.step.kind == StepKind::kMutexLock ||
                        (event.step.kind == StepKind::kMutexTryLock && event.step.new_value == 1);
      if (took) return Wait{.on = event.step.thread, .since_step = view_.step_number(at)};
    }
    return {};
  }

  void WriteCycle() {
    for (const auto& [start, place] : view_.threads()) {
      std::vector<int> path = {start};
      std::optional<Wait> wait = WaitOf(start);
      while (wait && std::find(path.begin(), path.end(), wait->on) == path.end()) {
        path.push_back(wait->on);
        wait = WaitOf(wait->on);
      }
      if (!wait || wait->on != start) continue;
      std::string text;
      for (size_t i = 1; i < path.size(); ++i)
        text += fmt::format(" waits for thread {}, which", path[i]);
      Line("  In a circle: thread {}{} waits for thread {}", start, text, start);
      return;
    }
  }

  void WriteStack(const TraceEvent& event) {
    const std::vector<SourceFrame> frames = words_.Stack(event);
    const size_t shown =
        options_.timeline.all ? frames.size() : std::min(frames.size(), kMostFrames);
    std::vector<std::string> functions;
    size_t widest = 0;
    for (size_t i = 0; i < shown; ++i) {
      functions.push_back(sim::Printable(frames[i].function, words_.ascii(), kLongestFunction));
      widest = std::max(widest, sim::Width(functions[i]));
    }
    for (size_t i = 0; i < shown; ++i) {
      Line("      {}  {}", sim::Padded(functions[i], widest),
           words_.Clean(SourceLocation(frames[i])));
    }
    if (shown < frames.size())
      Line("      {} {} more", words_.glyphs().ellipsis, frames.size() - shown);
  }

  // The named operation that the thread was in at the event.
  void WriteOperation(size_t at) {
    const int thread = view_.event(at).step.thread;
    for (size_t i = at + 1; i-- > 0;) {
      const TraceEvent& event = view_.event(i);
      if (event.step.thread != thread) continue;
      if (event.type == TraceEvent::Type::kOperationEnd) return;
      if (event.type != TraceEvent::Type::kOperationBegin) continue;
      Line("      in operation {}", words_.Clean(event.text));
      return;
    }
  }

  // ---- what led to it

  void WriteTimeline() {
    size_t switches = 0;
    for (size_t at = 1; at < view_.size(); ++at) switches += view_.how(at) != sim::Switch::kNone;
    const sim::Glyphs& glyphs = words_.glyphs();
    const auto plural = [](uint64_t count, const char* noun) {
      return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
    };
    Line("");
    Line("Timeline: {}, {}, {}  ({} not the benign choice{})",
         plural(view_.threads().size(), "thread"), plural(view_.step_count(), "step"),
         fmt::format("{} context switch{}", switches, switches == 1 ? "" : "es"), glyphs.chosen,
         verdict_.passed() ? std::string() : fmt::format(", {} violated here", glyphs.failed));
    out_ += FormatTimeline(view_.trace(), verdict_, options_.timeline);
  }

  void WriteDecisions() {
    const size_t most = options_.timeline.all ? view_.size() : kMostDecisions;
    const sim::Decisions decisions = sim::DescribeDecisions(view_, words_, most);
    Line("");
    if (decisions.count == 0) {
      Line("Decisions that matter: none, every choice was the benign one");
      return;
    }
    Line("Decisions that matter:");
    for (size_t i = 0; i < decisions.sentences.size(); ++i) {
      const std::string number = fmt::format("{:>4}. ", i + 1);
      const size_t width = static_cast<size_t>(std::max(options_.timeline.width, 40));
      const std::vector<std::string> lines =
          sim::Wrap(decisions.sentences[i], width - number.size(), 0);
      for (size_t j = 0; j < lines.size(); ++j)
        Line("{}{}", j == 0 ? number : std::string(number.size(), ' '), lines[j]);
    }
    if (decisions.left_out != 0) {
      Line("      {} {} more (--all shows them)", words_.glyphs().ellipsis, decisions.left_out);
    }
  }

  void WriteFoot() {
    if (verdict_.signature.empty() && options_.replay_command.empty()) return;
    Line("");
    if (!verdict_.signature.empty())
      Line("Signature: {}", sim::Printable(verdict_.signature, words_.ascii(), 2000));
    // Verbatim: it is to be copied.
    if (!options_.replay_command.empty()) Line("Replay:    {}", options_.replay_command);
  }

  const Verdict& verdict_;
  const ReportOptions& options_;
  const TraceView view_;
  const StepText words_;
  std::string out_;
};

}  // namespace

std::string FormatReport(const Verdict& verdict, const Trace& trace, const ReportOptions& options) {
  return Report(verdict, trace, options).Write();
}

}  // namespace jacquard
