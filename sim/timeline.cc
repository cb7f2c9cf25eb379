// FormatTimeline: first the rows (which events are shown, and how), then the page (where on a line
// they stand).
#include "sim/timeline.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <iterator>
#include <utility>
#include <vector>

#include "sim/step_text.h"
#include "sim/text.h"
#include "sim/trace_view.h"

namespace jacquard {
namespace {

using sim::StepText;
using sim::Switch;
using sim::TraceView;

// Columns 64 and up have no place in a set; only damaged traces have them.
using ColumnSet = uint64_t;
ColumnSet Column(size_t column) { return column < 64 ? ColumnSet{1} << column : 0; }

// One row, before it has a place on the page.
struct Row {
  enum class Kind : uint8_t { kText, kSwitch, kAll };
  Kind kind = Kind::kText;
  size_t column = 0;        // whose; for a switch, who runs from here on
  size_t from = 0;          // for a switch, who ran before
  uint64_t number = 0;      // of the step; 0: none is printed
  const char* mark = "";    // before everything else
  const char* lead = "";    // in place of the bar
  std::string text;         // for kAll: across the page
  ColumnSet operating = 0;  // the columns that are inside an operation
};

// ---- which rows

class RowMaker {
 public:
  RowMaker(const TraceView& view, const Verdict& verdict, const TimelineOptions& options,
           const StepText& words)
      : view_(view), verdict_(verdict), options_(options), words_(words), g_(words.glyphs()) {}

  std::vector<Row> Make() {
    for (size_t at = 0; at < view_.size();) {
      if (view_.how(at) != Switch::kNone && view_.how(at) != Switch::kFirst) AddSwitch(at);
      at = AddEvents(at);
    }
    AddEnd();
    return std::move(rows_);
  }

 private:
  size_t ColumnOf(size_t at) const { return view_.threads().at(view_.event(at).step.thread); }

  Row& Add(size_t at, std::string text) {
    Row& row = rows_.emplace_back();
    row.column = ColumnOf(at);
    row.operating = operating_;
    row.text = std::move(text);
    return row;
  }

  void AddSwitch(size_t at) {
    Row& row = Add(at, {});
    row.kind = Row::Kind::kSwitch;
    row.from = ColumnOf(at - 1);
    const size_t pick = view_.PickOfSwitch(at);
    const bool chosen = pick != TraceView::kNowhere && view_.Deviates(pick);
    if (chosen) row.mark = g_.chosen;
    const bool preempted = view_.how(at) == Switch::kPreempted;
    row.text = preempted ? (chosen ? " switched here " : " its turn is over ") : "";
  }

  // Adds the event at `at`, or all that one row stands for; returns the position behind them.
  size_t AddEvents(size_t at) {
    const TraceEvent& event = view_.event(at);
    switch (event.type) {
      case TraceEvent::Type::kOperationBegin: {
        const size_t behind = AddWholeOperation(at);
        if (behind != at) return behind;
        Add(at, words_.Clean(event.text)).lead = g_.begin;
        operating_ |= Column(ColumnOf(at));
        return at + 1;
      }
      case TraceEvent::Type::kOperationEnd:
        operating_ &= ~Column(ColumnOf(at));
        Add(at, words_.Clean(event.text.empty() ? "done" : event.text)).lead = g_.end;
        return at + 1;
      case TraceEvent::Type::kBlocked:
        Add(at, fmt::format("blocked: {}", words_.Clean(event.text)));
        return at + 1;
      case TraceEvent::Type::kNote:
        Add(at, fmt::format("# {}", words_.Clean(event.text)));
        return at + 1;
      case TraceEvent::Type::kStep:
        break;
    }
    const size_t behind = EndOfDull(at);
    if (behind - at >= 2) {
      Add(at, fmt::format("{} {} steps", g_.ellipsis, behind - at));
      return behind;
    }
    AddStep(at);
    return at + 1;
  }

  void AddStep(size_t at) {
    Row& row = Add(at, words_.Of(view_.event(at)));
    if (view_.IsStep(at)) row.number = view_.step_number(at);
    if (MarkedHere(at)) row.mark = g_.chosen;
    if (at == view_.violating()) row.mark = g_.failed;
    const TraceEvent& event = view_.event(at);
    if (view_.Deviates(at) && event.pick == PickKind::kReadsFrom)
      row.text += event.reads_from < 0 ? ", an older value: the initial one" : ", an older value";
    if (view_.Deviates(at) && event.pick == PickKind::kPlacement)
      row.text += ", before a newer value";
    if (!options_.locations) return;
    const SourceFrame where = words_.Where(event);
    if (where.file.empty()) return;
    row.text += fmt::format(
        "  {}:{}", words_.Clean(std::filesystem::path(where.file).filename().string()), where.line);
  }

  // An operation in which nothing is worth a row becomes one row. Returns the position behind it,
  // or `at` if it is none.
  size_t AddWholeOperation(size_t at) {
    if (options_.all) return at;
    const size_t end = EndOfDull(at + 1);
    if (end >= view_.size() || view_.how(end) != Switch::kNone ||
        view_.event(end).type != TraceEvent::Type::kOperationEnd) {
      return at;
    }
    std::string text = words_.Clean(view_.event(at).text);
    const size_t steps = end - at - 1;
    if (steps != 0)
      text += fmt::format(" {} {} {}", g_.ellipsis, steps, steps == 1 ? "step" : "steps");
    const std::string result = words_.Clean(view_.event(end).text);
    if (!result.empty()) text += fmt::format(" {} {}", g_.arrow, result);
    Add(at, std::move(text)).lead = g_.whole;
    return end + 1;
  }

  // The first position from `at` on whose event is of interest, or of another thread.
  size_t EndOfDull(size_t at) const {
    size_t end = at;
    while (end < view_.size() && (end == at || view_.how(end) == Switch::kNone) &&
           !Interesting(end))
      ++end;
    return end;
  }

  // Whether the step's own row carries the mark of a choice: that of a switch stands at the switch.
  bool MarkedHere(size_t at) const {
    if (!view_.Deviates(at)) return false;
    if (view_.event(at).pick != PickKind::kSchedule) return true;
    size_t first = at;
    while (view_.how(first) == Switch::kNone) --first;
    return view_.how(first) == Switch::kFirst || view_.PickOfSwitch(first) != at;
  }

  bool Interesting(size_t at) const { return options_.all || view_.IsOfInterest(at); }

  // What the verdict says, in the column of the thread that it blames.
  void AddEnd() {
    if (verdict_.passed()) return;
    const auto column = view_.threads().find(verdict_.thread);
    const bool of_all = verdict_.is_of_all() || column == view_.threads().end();
    Row& row = rows_.emplace_back();
    row.kind = of_all ? Row::Kind::kAll : Row::Kind::kText;
    if (!of_all) row.column = column->second;
    row.operating = operating_;
    row.text = fmt::format("{} {}", g_.failed, VerdictKindName(verdict_.kind));
  }

  const TraceView& view_;
  const Verdict& verdict_;
  const TimelineOptions& options_;
  const StepText& words_;
  const sim::Glyphs& g_;
  std::vector<Row> rows_;
  ColumnSet operating_ = 0;
};

// Leaves rows out in the middle, so that at most `most` stay.
void LimitRows(std::vector<Row>& rows, size_t most, const sim::Glyphs& glyphs) {
  most = std::max<size_t>(most, 4);
  if (rows.size() <= most) return;
  const size_t first = most / 4;
  const size_t left_out = rows.size() - most + 1;
  Row gap;
  gap.kind = Row::Kind::kAll;
  gap.operating = rows[first].operating;
  gap.text = fmt::format("{} {} rows left out (--all shows them)", glyphs.ellipsis, left_out);
  const auto begin = rows.begin() + static_cast<ptrdiff_t>(first);
  rows.erase(begin, begin + static_cast<ptrdiff_t>(left_out - 1));
  rows[first] = std::move(gap);
}

// ---- where they stand

class Page {
 public:
  Page(const TraceView& view, const TimelineOptions& options, const sim::Glyphs& glyphs)
      : width_(static_cast<size_t>(std::max(options.width, 40))), g_(glyphs) {
    for (const auto& [thread, place] : view.threads()) threads_.push_back(thread);
    gutter_ = std::max<size_t>(4, fmt::formatted_size("{}", view.step_count())) + 4;
    const size_t room = width_ - gutter_;
    const size_t lane = 1 + fmt::formatted_size("{}", threads_.empty() ? 0 : threads_.back());
    if (threads_.size() * kNarrowest <= room) {
      layout_ = Layout::kColumns;
      step_ = room / threads_.size();
    } else if (threads_.size() * lane + kNarrowest + 10 <= room) {
      layout_ = Layout::kLanes;
      step_ = lane;
    } else {
      layout_ = Layout::kList;
      step_ = 0;
    }
  }

  std::string Print(const std::vector<Row>& rows) {
    PrintHeader();
    for (const Row& row : rows) {
      switch (row.kind) {
        case Row::Kind::kText:
          PrintText(row);
          break;
        case Row::Kind::kSwitch:
          PrintSwitch(row);
          break;
        case Row::Kind::kAll:
          PrintAcross(row);
          break;
      }
    }
    return std::move(out_);
  }

 private:
  // Side by side; narrow lanes beside one column of text; no lanes.
  enum class Layout : uint8_t { kColumns, kLanes, kList };
  static constexpr size_t kNarrowest = 22;

  static std::string Name(int thread) {
    return thread < 0 ? std::string("harness") : fmt::format("thread {}", thread);
  }
  static std::string ShortName(int thread) {
    return thread < 0 ? std::string("H") : fmt::format("T{}", thread);
  }

  std::string Gutter(const char* number, const char* mark) const {
    return fmt::format("{:>{}} {} ", number, gutter_ - 3, *mark == '\0' ? " " : mark);
  }
  std::string Gutter(const Row& row) const {
    const std::string number = row.number == 0 ? std::string() : fmt::format("{}", row.number);
    return Gutter(number.c_str(), row.mark);
  }

  void PrintHeader() {
    std::string line = Gutter("step", "");
    std::string rule = Gutter("", "");
    for (const int thread : threads_) {
      if (layout_ == Layout::kColumns) {
        line += sim::Padded(Name(thread), step_);
        rule += sim::Padded(Repeated(step_ - 2), step_);
      } else if (layout_ == Layout::kLanes) {
        line += sim::Padded(thread < 0 ? "H" : fmt::format("{}", thread), step_);
      }
    }
    if (layout_ == Layout::kList) line += "thread";
    sim::AppendLine(out_, line);
    if (layout_ == Layout::kColumns) sim::AppendLine(out_, rule);
  }

  std::string Repeated(size_t times) const {
    std::string text;
    for (size_t i = 0; i < times; ++i) text += g_.line;
    return text;
  }

  // The bars of the columns before `end` from `begin` on.
  std::string Bars(const Row& row, size_t begin, size_t end) const {
    std::string text;
    for (size_t column = begin; column < end; ++column)
      text += sim::Padded((row.operating & Column(column)) != 0 ? g_.bar : "", step_);
    return text;
  }

  // What stands in front of the text: the operation's mark, or its bar.
  std::string Lead(const Row& row, bool first_line) const {
    if (first_line && *row.lead != '\0') return row.lead;
    const bool begins = row.lead == g_.begin;
    return begins || (row.operating & Column(row.column)) != 0 ? g_.bar : " ";
  }

  void PrintText(const Row& row) {
    const size_t count = threads_.size();
    std::string before, after;
    size_t room = 0;
    if (layout_ == Layout::kColumns) {
      before = Bars(row, 0, row.column);
      after = Bars(row, row.column + 1, count);
      room = step_ - 3;
    } else {
      room = width_ - gutter_ - step_ * count - 7;
    }
    const std::vector<std::string> lines = sim::Wrap(row.text, room, 2);
    for (size_t i = 0; i < lines.size(); ++i) {
      std::string line = i == 0 ? Gutter(row) : Gutter("", "");
      if (layout_ == Layout::kColumns) {
        line += before + sim::Padded(Lead(row, i == 0) + " " + lines[i], step_) + after;
      } else {
        line += Lanes(row, i == 0) + sim::Padded(i == 0 ? ShortName(threads_[row.column]) : "", 4) +
                Lead(row, i == 0) + " " + lines[i];
      }
      sim::AppendLine(out_, line);
    }
  }

  std::string Lanes(const Row& row, bool active) const {
    if (layout_ != Layout::kLanes) return {};
    return Bars(row, 0, row.column) + sim::Padded(active ? g_.active : Lead(row, false), step_) +
           Bars(row, row.column + 1, threads_.size());
  }

  // A line from the column of who ran before to that of who runs now.
  void PrintSwitch(const Row& row) {
    if (layout_ == Layout::kList) {
      sim::AppendLine(
          out_, Gutter(row) + fmt::format("{}{}{} {}", ShortName(threads_[row.from]), g_.arrow,
                                          ShortName(threads_[row.column]), row.text));
      return;
    }
    const bool right = row.from < row.column;
    const size_t begin = std::min(row.from, row.column) * step_;
    const size_t end = std::max(row.from, row.column) * step_;
    const bool inside = (row.operating & Column(row.from)) != 0;
    const size_t label_width = sim::Width(row.text);
    const bool label_fits = end - begin >= label_width + 4;
    const size_t label_begin = begin + (end - begin - (label_fits ? label_width : 0)) / 2;

    std::string line = Gutter(row);
    const size_t total = threads_.size() * step_;
    for (size_t at = 0; at < total; ++at) {
      const size_t column = at / step_;
      const bool on_bar = at % step_ == 0 && (row.operating & Column(column)) != 0;
      if (at < begin || at > end) {
        line += on_bar ? g_.bar : " ";
      } else if (at == (right ? begin : end)) {
        line += Leave(right, inside);
      } else if (at == (right ? end : begin)) {
        line += right ? g_.head_right : g_.head_left;
      } else if (label_fits && at >= label_begin && at < label_begin + label_width) {
        line += row.text[at - label_begin];  // ASCII
      } else {
        line += on_bar ? g_.cross : g_.line;
      }
    }
    if (!label_fits && layout_ == Layout::kLanes) line += row.text;
    sim::AppendLine(out_, line);
  }

  const char* Leave(bool right, bool inside) const {
    if (right) return inside ? g_.leave_bar : g_.leave;
    return inside ? g_.leave_bar_left : g_.leave_left;
  }

  void PrintAcross(const Row& row) {
    const std::vector<std::string> lines = sim::Wrap(row.text, width_ - gutter_, 2);
    for (size_t i = 0; i < lines.size(); ++i)
      sim::AppendLine(out_, (i == 0 ? Gutter(row) : Gutter("", "")) + lines[i]);
  }

  const size_t width_;
  const sim::Glyphs& g_;
  std::vector<int> threads_;
  size_t gutter_ = 0;
  Layout layout_ = Layout::kColumns;
  size_t step_ = 0;  // from one column, or lane, to the next
  std::string out_;
};

}  // namespace

std::string FormatTimeline(const Trace& trace, const Verdict& verdict,
                           const TimelineOptions& options) {
  if (trace.events.empty()) return "(no events)\n";
  const TraceView view(trace, verdict);
  const StepText words(options.symbolize, options.ascii);
  std::vector<Row> rows = RowMaker(view, verdict, options, words).Make();
  if (!options.all)
    LimitRows(rows, static_cast<size_t>(std::max(options.max_rows, 0)), words.glyphs());
  return Page(view, options, words.glyphs()).Print(rows);
}

}  // namespace jacquard
