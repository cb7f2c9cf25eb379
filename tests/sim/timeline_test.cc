// FormatTimeline and FormatReport: what a person sees of a failure. The texts are golden files;
// tests/sim/golden.h says how to refresh them.
#include "sim/timeline.h"

#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <cstdint>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "sim/report.h"
#include "tests/sim/golden.h"
#include "tests/sim/trace_builder.h"

namespace jacquard {
namespace {

constexpr auto kRelaxed = MemoryOrder::kRelaxed;
constexpr auto kAcquire = MemoryOrder::kAcquire;
constexpr auto kRelease = MemoryOrder::kRelease;
constexpr auto kLoad = StepKind::kLoad;
constexpr auto kStore = StepKind::kStore;
constexpr auto kRmw = StepKind::kReadModifyWrite;

struct Failure {
  TraceBuilder builder;
  Verdict verdict;

  ReportOptions Options() const {
    ReportOptions options;
    options.timeline.symbolize = builder.Lookup();
    options.replay_command =
        verdict.passed() ? "" : "./bazelw run //fuzzers:vma_lock_fuzz_test_run -- --replay crash-1";
    return options;
  }
  std::string Report(const ReportOptions& options) const {
    return FormatReport(verdict, builder.trace(), options);
  }
  std::string Report() const { return Report(Options()); }
  std::string Timeline(const TimelineOptions& options) const {
    return FormatTimeline(builder.trace(), verdict, options);
  }
};

constexpr uint64_t kFlag = 0x40000000;
constexpr const char* kIncrement =
    "std::atomic<unsigned int>::compare_exchange_weak|Refcount::IncrementUnlessZero";

// A reader of a lock without the second look at the sequence: a writer slips in between the first
// look and the increment.
Failure ReaderInsideWriter() {
  Failure failure;
  TraceBuilder& b = failure.builder;
  b.Begin(0, "start_read(vma0)");
  b.Load(0, "vma0.lock_seq", 0xffffffff, kRelaxed, "VmaLock::StartRead");
  b.Load(0, "mm.lock_seq", 4, kRelaxed, "VmaLock::StartRead");
  b.Begin(1, "mmap_write_lock()");
  b.Step(1, kRmw, "mm.lock.word", 0, 1, kAcquire,
         "std::atomic<unsigned int>::compare_exchange_strong|RwSemaphore::Lock");
  b.Switched();
  b.Step(1, kStore, "mm.lock_seq", 4, 5, kRelease, "MmapLock::BeginWrite");
  b.End(1);
  b.Begin(1, "start_write(vma0)");
  b.Load(1, "vma0.lock_seq", 0xffffffff, kRelaxed, "VmaLock::StartWrite");
  b.Load(1, "mm.lock_seq", 5, kRelaxed, "VmaLock::StartWrite");
  b.Load(1, "vma0.refcount", 1, kRelaxed, "Refcount::AddUnlessZero");
  TraceEvent& exclude = b.Step(1, kRmw, "vma0.refcount", 1, kFlag + 1, kAcquire,
                               "std::atomic<unsigned int>::fetch_add|Refcount::AddUnlessZero");
  exclude.old_text = "attached";
  exclude.new_text = "readers excluded";
  b.Step(1, kStore, "vma0.lock_seq", 0xffffffff, 5, kRelaxed, "VmaLock::StartWrite");
  TraceEvent& end = b.Step(1, kRmw, "vma0.refcount", kFlag + 1, 1, kRelease,
                           "std::atomic<unsigned int>::fetch_sub|Refcount::Sub");
  end.old_text = "readers excluded";
  end.new_text = "attached";
  b.End(1, "ok");
  b.Load(0, "vma0.refcount", 1, kRelaxed, "Refcount::IncrementUnlessZero");
  b.Switched();
  TraceEvent& enter = b.Step(0, kRmw, "vma0.refcount", 1, 2, kAcquire, kIncrement);
  enter.old_text = "attached";
  enter.new_text = "1 reader";
  b.Stack({"VmaLock::StartRead", "VmaLockScenario::StartRead",
           "std::_Function_handler<void ()>::_M_invoke"});
  failure.verdict = {.kind = VerdictKind::kInvariant,
                     .message =
                         "writer excludes readers: thread 1 has write-locked vma0, and "
                         "thread 0 reads it",
                     .signature = "invariant|writer excludes readers|start_read",
                     .thread = 0,
                     .step = 12};
  return failure;
}

// Two threads take two mutexes in different orders; a third one waits for the first.
Failure Deadlock() {
  Failure failure;
  TraceBuilder& b = failure.builder;
  b.Begin(0, "move(a, b)");
  b.Step(0, StepKind::kMutexLock, "a.mutex", 0, 1, kAcquire, "std::mutex::lock");
  b.Stack({"Account::Move"});
  b.Begin(1, "move(b, a)");
  b.Step(1, StepKind::kMutexLock, "b.mutex", 0, 2, kAcquire, "std::mutex::lock");
  b.Stack({"Account::Move"});
  b.Switched();
  const auto block = [&](int thread, const char* mutex) {
    b.Step(thread, StepKind::kMutexLock, mutex, 0, 0, kAcquire, "std::mutex::lock");
    const void* address = b.trace().events.back().step.address;
    b.trace().events.pop_back();
    TraceEvent& event = b.Blocked(thread, std::string("waits for the mutex ") + mutex);
    event.step.kind = StepKind::kMutexLock;
    event.step.address = address;
    event.name = mutex;
    b.Stack({"Account::Move", "BankScenario::Move"});
  };
  block(1, "a.mutex");
  b.Begin(2, "wait()");
  b.Blocked(2, "waits for thread 0 to end");
  b.trace().events.back().step.kind = StepKind::kThreadJoin;
  b.trace().events.back().step.new_value = 0;
  block(0, "b.mutex");
  b.Step(3, StepKind::kThreadEnd);
  b.trace().threads = 5;
  failure.verdict = {.kind = VerdictKind::kDeadlock,
                     .message = "no thread can ever run again",
                     .signature = "deadlock|no thread can run|move",
                     .thread = 0,
                     .step = 2};
  return failure;
}

// Every kind of step, of event and of choice once.
Failure EveryKind() {
  Failure failure;
  TraceBuilder& b = failure.builder;
  b.Note(0, "starts with x = 0");
  b.Load(0, "x", 0, kRelaxed);
  b.Picked(PickKind::kReadsFrom, 2, 1);
  b.Step(0, kStore, "x", 0, 0x1234, kRelease);
  b.Picked(PickKind::kPlacement, 3, 2);
  b.Load(0, "x", 7, kRelaxed, "std::atomic<int>::compare_exchange_weak|F");
  b.Picked(PickKind::kWeakCompareExchange, 2, 1);
  b.Step(0, kRmw, "", 3, 4).step.address = reinterpret_cast<const void*>(0x7fff'1234'5678);
  b.Step(0, StepKind::kFence, "", 0, 0, MemoryOrder::kAcqRel);
  b.Step(0, StepKind::kFutexWait, "f", 0, 1);
  b.Step(0, StepKind::kFutexWait, "f", 0, 0);
  b.Blocked(0, "sleeps on f");
  b.Step(1, StepKind::kFutexWake, "f", 0, 1);
  b.Picked(PickKind::kWakeOrder, 3, 2);
  b.Step(1, StepKind::kFutexWake, "f", 0, 0);
  b.Step(1, StepKind::kMutexLock, "m");
  b.Step(1, StepKind::kMutexTryLock, "m", 0, 0);
  b.Step(1, StepKind::kMutexTryLock, "m", 0, kTimeIsOver);
  b.Step(1, StepKind::kMutexTryLock, "m", 0, 1);
  b.Step(1, StepKind::kMutexUnlock, "m");
  b.Step(1, StepKind::kThreadCreate, "", 0, 2);
  b.Step(1, StepKind::kThreadJoin, "", 0, 2);
  b.Step(1, StepKind::kYield);
  b.Step(0, StepKind::kFutexWakeUp, "f", 0, 1);
  b.Switched();
  b.Step(0, StepKind::kFutexWakeUp, "f", 0, 0);
  b.Step(0, StepKind::kSleep);
  b.Step(0, StepKind::kClock);
  b.Step(0, StepKind::kFileInput, "", 4, 4);
  b.Step(0, StepKind::kFileInput, "", kSeveralFiles, kSeveralFiles);
  b.Step(0, StepKind::kFileOutput, "", 5, 5);
  b.Step(0, StepKind::kFileClose, "", 5, 5);
  b.Step(0, StepKind::kSignalSend, "", 1, SIGUSR1);
  b.Step(0, StepKind::kSignalSend, "", kToProcess, SIGUSR2);
  b.Step(1, StepKind::kSignalWait, "", 0, SIGUSR2);
  b.Step(1, StepKind::kSignalWait, "", 0, 0);
  b.Step(0, StepKind::kOther);
  b.Picked(PickKind::kData, 8, 5);
  b.Step(1, StepKind::kYield);
  b.Switched();
  b.Step(1, StepKind::kClock);
  b.Switched();
  b.Step(1, StepKind::kThreadEnd);
  b.Step(0, StepKind::kThreadEnd);
  return failure;
}

// `threads` threads, each with an operation of a few steps, two of them at a time side by side.
Failure Many(int threads) {
  Failure failure;
  TraceBuilder& b = failure.builder;
  for (int i = 0; i < threads; ++i) {
    b.Begin(i, "increment(counter)");
    b.Step(i, kRmw, "counter", i, i + 1, kAcquire);
    if (i % 2 == 0) continue;
    for (const int thread : {i - 1, i}) {
      b.Step(thread, kStore, "last", 0, thread, kRelease);
      if (thread == i - 1) b.Switched();
      b.End(thread, "ok");
      b.Step(thread, StepKind::kThreadEnd);
    }
  }
  failure.verdict = {.kind = VerdictKind::kFinal,
                     .message = "the counter is wrong",
                     .signature = "final|counter",
                     .thread = -1,
                     .step = static_cast<uint64_t>(threads) * 2};
  return failure;
}

size_t WidestLine(const std::string& text) {
  std::istringstream lines(text);
  size_t widest = 0;
  for (std::string line; std::getline(lines, line);) {
    const auto is_start = [](char byte) {
      return (static_cast<unsigned char>(byte) & 0xC0) != 0x80;
    };
    widest =
        std::max(widest, static_cast<size_t>(std::count_if(line.begin(), line.end(), is_start)));
  }
  return widest;
}

size_t CountLines(const std::string& text) {
  return static_cast<size_t>(std::count(text.begin(), text.end(), '\n'));
}

// ---- what it looks like

TEST(Report, ShowsAnInvariantViolation) {
  ExpectGolden("invariant.txt", ReaderInsideWriter().Report());
}

TEST(Report, ShowsEveryStepWithLocationsIfAsked) {
  const Failure failure = ReaderInsideWriter();
  ReportOptions options = failure.Options();
  options.timeline.all = true;
  options.timeline.locations = true;
  options.timeline.width = 120;
  ExpectGolden("invariant_all.txt", failure.Report(options));
}

TEST(Report, ConfinesItselfToAsciiIfAsked) {
  const Failure failure = ReaderInsideWriter();
  ReportOptions options = failure.Options();
  options.timeline.ascii = true;
  options.timeline.width = 80;
  const std::string text = failure.Report(options);
  EXPECT_TRUE(std::all_of(text.begin(), text.end(),
                          [](char byte) { return byte == '\n' || (byte >= ' ' && byte <= '~'); }));
  ExpectGolden("invariant_ascii.txt", text);
}

// Where it happens in another library's header, and below it the program's own functions alone.
TEST(Report, ShowsTheInnermostLineOfAnInstalledHeader) {
  Failure failure;
  TraceBuilder& b = failure.builder;
  b.Step(0, kStore, "word", 0, 1, kRelease, "std::atomic<int>::store|boost::Pool::Put|boost::Push");
  b.Stack({"Work|boost::Apply", "Main"});
  failure.verdict = {.kind = VerdictKind::kRace,
                     .message = "plain write",
                     .signature = "race|plain write",
                     .thread = 0,
                     .step = 1};
  const std::string report = failure.Report();
  EXPECT_NE(report.find("      boost::Pool::Put  /usr/include/boost/queue.hpp:10\n"
                        "      Work              lock/lock.h:17\n"
                        "      Main              lock/lock.h:24\n"),
            std::string::npos)
      << report;
}

TEST(Report, ShowsThePlacesThatTheVerdictIsAbout) {
  Failure failure;
  TraceBuilder& b = failure.builder;
  TracePlace freed;
  freed.what = "freed";
  freed.thread = 1;
  freed.step = 1;
  freed.pc = b.Step(1, kStore, "word", 0, 1, kRelease, "Queue::Retire").pc;
  TracePlace allocated;
  allocated.what = "allocated";
  allocated.pc = b.Step(0, kStore, "word", 1, 2, kRelease, "Queue::Queue").pc;
  allocated.stack = {freed.pc};
  b.Note(0, "use after free").pc = freed.pc;
  b.trace().places = {freed, allocated};
  failure.verdict = {.kind = VerdictKind::kHeapError,
                     .message = "use after free: reads a byte",
                     .signature = "heap error|use after free",
                     .thread = 0,
                     .step = 2};
  const std::string report = failure.Report();
  EXPECT_NE(report.find("heap error: use after free: reads a byte\n\n"
                        "Where: thread 0, after its last event: use after free\n"
                        "      Queue::Retire  lock/lock.h:10\n"
                        "Freed by thread 1, after step 1:\n"
                        "      Queue::Retire  lock/lock.h:10\n"
                        "Allocated by the harness, after step 0:\n"
                        "      Queue::Queue   lock/lock.h:17\n"
                        "      Queue::Retire  lock/lock.h:10\n\n"),
            std::string::npos)
      << report;
}

TEST(Report, SaysWhoWaitsForWhomInADeadlock) { ExpectGolden("deadlock.txt", Deadlock().Report()); }

TEST(Report, HasWordsForEveryKindOfStepAndChoice) {
  const Failure failure = EveryKind();
  ReportOptions options = failure.Options();
  options.timeline.all = true;
  ExpectGolden("every_kind.txt", failure.Report(options));
}

TEST(Report, FoldsColumnsIntoLanes) { ExpectGolden("lanes.txt", Many(12).Report()); }

TEST(Report, FoldsLanesIntoAList) { ExpectGolden("list.txt", Many(64).Report()); }

TEST(Report, LooksAsInTheManual) {
  const std::string manual = FileText("docs/reading_a_failure.md");
  EXPECT_NE(manual.find("\n```text\n" + ReaderInsideWriter().Report() + "```\n"), std::string::npos)
      << "copy tests/sim/golden/invariant.txt to docs/reading_a_failure.md";
  const std::string deadlock = Deadlock().Report();
  const size_t begin = deadlock.find("Where every"), end = deadlock.find("\nTimeline:");
  EXPECT_NE(manual.find("\n```text\n" + deadlock.substr(begin, end - begin) + "```\n"),
            std::string::npos)
      << "copy the part of tests/sim/golden/deadlock.txt to docs/reading_a_failure.md";
}

// ---- what it must hold

TEST(Report, BeginsWithKindAndMessageAndEndsWithTheReplayCommand) {
  const Failure failure = ReaderInsideWriter();
  const std::string text = failure.Report();
  EXPECT_EQ(text.substr(0, text.find('\n')), "invariant: " + failure.verdict.message);
  const std::string end = failure.Options().replay_command + "\n";
  EXPECT_EQ(text.substr(text.size() - end.size()), end);
  EXPECT_NE(text.find("Signature: " + failure.verdict.signature + "\n"), std::string::npos);
}

TEST(Report, OfAnEmptyTraceSaysWhatTheVerdictSays) {
  Verdict verdict;
  verdict.kind = VerdictKind::kDeadlock;
  verdict.message = "nobody can run";
  verdict.signature = "deadlock|x";
  EXPECT_EQ(FormatReport(verdict, Trace()), "deadlock: nobody can run\n\nSignature: deadlock|x\n");
  EXPECT_EQ(FormatReport(Verdict(), Trace()), "pass\n");
  EXPECT_EQ(FormatTimeline(Trace(), verdict), "(no events)\n");
}

TEST(Report, SaysThatALimitOfTheSimulationIsNoBug) {
  Verdict verdict;
  verdict.kind = VerdictKind::kUnsupported;
  verdict.message = "fork()";
  EXPECT_NE(FormatReport(verdict, Trace()).find("not a bug of the code under test"),
            std::string::npos);
}

TEST(Report, BlamesTheThreadsLastEventForWhatIsNoStep) {
  Failure failure = ReaderInsideWriter();
  failure.verdict.kind = VerdictKind::kMisuse;
  failure.verdict.thread = 1;
  const std::string text = failure.Report();
  EXPECT_NE(text.find("Where: thread 1, after its last event: ok"), std::string::npos) << text;
}

TEST(Report, IsTheSameForTheSameTrace) {
  EXPECT_EQ(ReaderInsideWriter().Report(), ReaderInsideWriter().Report());
}

TEST(Report, LimitsTheDecisionsUnlessAllAreAskedFor) {
  Failure failure;
  for (int i = 0; i < 100; ++i) {
    failure.builder.Step(i % 2, kStore, "x", 0, 1, kRelease);
    failure.builder.Switched();
  }
  ReportOptions options = failure.Options();
  EXPECT_NE(failure.Report().find("… 60 more (--all shows them)"), std::string::npos);
  options.timeline.all = true;
  EXPECT_NE(failure.Report(options).find(" 100. before step 100: "), std::string::npos);
}

TEST(Timeline, MarksTheViolatingStepAndNoOther) {
  const Failure failure = ReaderInsideWriter();
  TimelineOptions options;
  options.all = true;
  const std::string text = failure.Timeline(options);
  EXPECT_NE(text.find("\n   12 ✗ "), std::string::npos) << text;
  EXPECT_EQ(text.find("✗"), text.find("12 ✗") + 3) << text;
}

TEST(Timeline, LeavesOutOnlyWhatIsDull) {
  Failure failure;
  TraceBuilder& b = failure.builder;
  for (int i = 0; i < 5; ++i) b.Load(0, "x", 1, kRelaxed);
  b.Step(0, kStore, "x", 1, 2, kRelease);
  b.Load(0, "x", 2, kRelaxed);
  b.Step(0, StepKind::kFence);
  b.Step(0, StepKind::kThreadEnd);
  const std::string text = failure.Timeline({});
  EXPECT_NE(text.find("… 5 steps"), std::string::npos) << text;
  EXPECT_NE(text.find("x 1→2 (store release)"), std::string::npos) << text;
  EXPECT_NE(text.find("… 2 steps"), std::string::npos) << text;
  EXPECT_NE(text.find("ends"), std::string::npos) << text;
  EXPECT_EQ(text.find("x = 1"), std::string::npos) << text;
  TimelineOptions options;
  options.all = true;
  const std::string all = failure.Timeline(options);
  EXPECT_EQ(all.find("…"), std::string::npos) << all;
  EXPECT_EQ(CountLines(all), 2u + 9u) << all;
}

TEST(Timeline, FoldsAnOperationInWhichNothingHappenedIntoOneRow) {
  Failure failure;
  TraceBuilder& b = failure.builder;
  b.Begin(0, "try_lock(0)");
  b.Load(0, "word", 1, kRelaxed);
  b.Load(0, "word", 1, kRelaxed);
  b.End(0, "busy");
  b.Begin(0, "try_lock(1)");
  b.Step(0, kRmw, "word", 0, 1, kAcquire);
  b.End(0, "locked");
  const std::string text = failure.Timeline({});
  EXPECT_NE(text.find("╶ try_lock(0) … 2 steps → busy\n"), std::string::npos) << text;
  EXPECT_NE(text.find("┌ try_lock(1)\n"), std::string::npos) << text;
  EXPECT_NE(text.find("└ locked\n"), std::string::npos) << text;
}

TEST(Timeline, KeepsToItsWidth) {
  for (const int width : {40, 80, 100, 120, 200}) {
    for (const int threads : {1, 2, 4, 8, 16, 32, 64}) {
      TimelineOptions options;
      options.width = width;
      const std::string text = Many(threads).Timeline(options);
      EXPECT_LE(WidestLine(text), static_cast<size_t>(width)) << threads << " threads\n" << text;
    }
  }
}

// The character at `column` of a line.
std::string CharacterAt(const std::string& line, size_t column) {
  const auto begins = [](char c) { return (c & 0xC0) != 0x80; };
  size_t at = 0;
  for (; at < line.size() && (column > 0 || !begins(line[at])); ++at)
    if (begins(line[at])) --column;
  size_t end = at + 1;
  while (end < line.size() && !begins(line[end])) ++end;
  return at < line.size() ? line.substr(at, end - at) : "";
}

TEST(Timeline, HasAColumnForEachThread) {
  for (const int width : {80, 100, 120}) {
    for (int threads = 2; threads <= 8; ++threads) {
      TimelineOptions options;
      options.width = width;
      const std::string text = Many(threads).Timeline(options);
      const std::string heads = text.substr(0, text.find('\n'));
      size_t column = 4;
      for (int thread = 0; thread < threads; ++thread) {
        const bool named = heads.find("thread") != std::string::npos;
        column = heads.find(std::to_string(thread), column + 1);
        ASSERT_NE(column, std::string::npos) << text;
        // Its step stands beside the bar of its operation, or its lane shows that the step is its.
        const std::string words = "counter " + std::to_string(thread) + "→";
        const size_t begin = text.rfind('\n', text.find(words)) + 1;
        const std::string line = text.substr(begin, text.find('\n', begin) - begin);
        EXPECT_EQ(CharacterAt(line, named ? column - 7 : column), named ? "│" : "●")
            << width << " wide, thread " << thread << "\n"
            << text;
      }
    }
  }
}

TEST(Timeline, WrapsAndCutsVeryLongNames) {
  Failure failure;
  TraceBuilder& b = failure.builder;
  const std::string name(10'000, 'n');
  b.Begin(0, std::string(5'000, 'o') + "(" + name + ")");
  b.Step(0, kRmw, name, 0, 1, kAcquire);
  b.End(0, name);
  b.Step(1, kStore, "a name with words that can be wrapped at their spaces", 0, 1, kRelease);
  const std::string text = failure.Timeline({});
  EXPECT_LE(WidestLine(text), 100u) << text;
  EXPECT_LT(CountLines(text), 60u) << text;
  EXPECT_NE(text.find("…"), std::string::npos) << text;
}

TEST(Timeline, EscapesWhatWouldBreakTheLayout) {
  Failure failure;
  failure.builder.Note(0, "two\nlines, \x1b[31mred, \xff, ä, \t");
  const std::string text = failure.Timeline({});
  EXPECT_NE(text.find("# two\\nlines, \\x1b[31mred, \\xff, ä, \\x09"), std::string::npos) << text;
  TimelineOptions ascii;
  ascii.ascii = true;
  EXPECT_NE(failure.Timeline(ascii).find("\\xff, ?, "), std::string::npos);
}

TEST(Timeline, SurvivesADamagedTrace) {
  Trace trace;
  for (const int thread : {-1, 0, 63, 64, 1'000'000, -7}) {
    TraceEvent event;
    event.step.thread = thread;
    event.step.kind = static_cast<StepKind>(200);
    event.type = static_cast<TraceEvent::Type>(77);
    event.pick = static_cast<PickKind>(99);
    event.alternatives = 1;
    event.choice = 5;
    event.reads_from = 1'000'000;
    trace.events.push_back(event);
    event.type = TraceEvent::Type::kStep;
    trace.events.push_back(event);
    event.pick = PickKind::kReadsFrom;
    trace.events.push_back(event);
  }
  for (const VerdictKind kind : {VerdictKind::kInvariant, VerdictKind::kDeadlock}) {
    Verdict verdict;
    verdict.kind = kind;
    verdict.thread = 12345;
    verdict.step = UINT64_MAX;
    EXPECT_FALSE(FormatReport(verdict, trace).empty());
    EXPECT_FALSE(FormatJson(verdict, trace).empty());
  }
}

Failure Long(int events) {
  Failure failure;
  failure.builder.trace().events.reserve(static_cast<size_t>(events));
  for (int i = 0; i < events; ++i) {
    failure.builder.Step(i / 3 % 3, i % 2 == 0 ? kStore : kLoad, "x", 0, 1, kRelease, "F");
    failure.builder.Stack({"G", "H"});
    if (i % 3 == 0) failure.builder.Switched();
  }
  failure.verdict.kind = VerdictKind::kInvariant;
  failure.verdict.thread = (events - 1) / 3 % 3;
  failure.verdict.step = static_cast<uint64_t>(events);
  return failure;
}

TEST(Timeline, KeepsTheEndOfALongTrace) {
  const std::string text = Long(10'000).Timeline({});
  EXPECT_LE(CountLines(text), 210u);
  EXPECT_NE(text.find("rows left out (--all shows them)"), std::string::npos);
  EXPECT_NE(text.find("10000 ✗"), std::string::npos);
  EXPECT_NE(text.find("\n     1 "), std::string::npos) << text.substr(0, 500);
}

TEST(Timeline, ShortensLongExecutionsUnlessAskedForAll) {
  constexpr int kEvents = 10'000;
  const Failure failure = Long(kEvents);
  ReportOptions options = failure.Options();
  const auto lines = [](const std::string& text) {
    return std::count(text.begin(), text.end(), '\n');
  };
  EXPECT_LT(lines(failure.Report(options)), kEvents / 10);
  options.timeline.all = true;
  EXPECT_GT(lines(failure.Report(options)), kEvents);
}

}  // namespace
}  // namespace jacquard
