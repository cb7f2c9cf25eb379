// The names that reports print, and the fingerprint of a trace.
#include "sim/names.h"

#include <gtest/gtest.h>

#include <cstring>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "sim/step.h"
#include "sim/strategy.h"
#include "sim/trace.h"
#include "sim/verdict.h"

namespace jacquard {
namespace {

// The names of the values 0 to `last`; each must be a name of its own.
template <class Enum>
void ExpectDistinctNames(Enum last, const std::function<const char*(Enum)>& name) {
  std::set<std::string> names;
  for (int value = 0; value <= static_cast<int>(last); ++value) {
    const char* text = name(static_cast<Enum>(value));
    ASSERT_NE(text, nullptr);
    EXPECT_STRNE(text, "unknown") << value;
    EXPECT_TRUE(names.insert(text).second) << text << " twice";
  }
  EXPECT_STREQ(name(static_cast<Enum>(static_cast<int>(last) + 1)), "unknown");
}

TEST(Names, EveryValueHasOne) {
  ExpectDistinctNames<StepKind>(StepKind::kSignalWait, StepKindName);
  ExpectDistinctNames<MemoryOrder>(MemoryOrder::kSeqCst, MemoryOrderName);
  ExpectDistinctNames<VerdictKind>(VerdictKind::kUnsupported, VerdictKindName);
  ExpectDistinctNames<PickKind>(PickKind::kData, sim::PickKindName);
  ExpectDistinctNames<TraceEvent::Type>(TraceEvent::Type::kNote, sim::EventTypeName);
}

TEST(Names, AreTheWordsOfTheDesign) {
  EXPECT_STREQ(StepKindName(StepKind::kReadModifyWrite), "read-modify-write");
  EXPECT_STREQ(MemoryOrderName(MemoryOrder::kAcqRel), "acq_rel");
  EXPECT_STREQ(VerdictKindName(VerdictKind::kDeadlock), "deadlock");
  EXPECT_STREQ(VerdictKindName(VerdictKind::kLockOrder), "lock order");
  EXPECT_STREQ(sim::PickKindName(PickKind::kReadsFrom), "reads-from");
}

Trace SomeTrace() {
  TraceEvent event;
  event.name = "word";
  event.stack = {1, 2};
  TracePlace place;
  place.stack = {3};
  return {.events = {event, event}, .places = {place, place}, .threads = 2};
}

TEST(Fingerprint, IsEqualForEqualTraces) {
  EXPECT_EQ(SomeTrace().Fingerprint(), SomeTrace().Fingerprint());
  EXPECT_EQ(Trace().Fingerprint(), Trace().Fingerprint());
}

TEST(Fingerprint, TellsEveryFieldApart) {
  static int object;
  const std::vector<std::function<void(Trace&)>> changes = {
      [](Trace& t) { t.threads = 3; },
      [](Trace& t) { t.events.pop_back(); },
      [](Trace& t) { t.events[1].type = TraceEvent::Type::kNote; },
      [](Trace& t) { t.events[1].index = 1; },
      [](Trace& t) { t.events[1].step.thread = 1; },
      [](Trace& t) { t.events[1].step.operation = 1; },
      [](Trace& t) { t.events[1].step.kind = StepKind::kStore; },
      [](Trace& t) { t.events[1].step.order = MemoryOrder::kRelaxed; },
      [](Trace& t) { t.events[1].step.size = 4; },
      [](Trace& t) { t.events[1].step.address = &object; },
      [](Trace& t) { t.events[1].step.old_value = 1; },
      [](Trace& t) { t.events[1].step.new_value = 1; },
      [](Trace& t) { t.events[1].name = "word2"; },
      [](Trace& t) { t.events[1].old_text = "x"; },
      [](Trace& t) { t.events[1].new_text = "x"; },
      [](Trace& t) { t.events[1].text = "x"; },
      [](Trace& t) { t.events[1].pc = 1; },
      [](Trace& t) { t.events[1].stack.pop_back(); },
      [](Trace& t) { std::swap(t.events[1].stack[0], t.events[1].stack[1]); },
      [](Trace& t) { t.events[1].enabled = 1; },
      [](Trace& t) { t.events[1].reads_from = 0; },
      [](Trace& t) { t.events[1].pick = PickKind::kData; },
      [](Trace& t) { t.events[1].alternatives = 2; },
      [](Trace& t) { t.events[1].choice = 1; },
      [](Trace& t) { t.places.pop_back(); },
      [](Trace& t) { t.places[1].what = "freed"; },
      [](Trace& t) { t.places[1].thread = 1; },
      [](Trace& t) { t.places[1].step = 1; },
      [](Trace& t) { t.places[1].pc = 1; },
      [](Trace& t) { t.places[1].stack = {4}; },
  };
  std::set<uint64_t> fingerprints = {SomeTrace().Fingerprint()};
  for (size_t i = 0; i < changes.size(); ++i) {
    Trace trace = SomeTrace();
    changes[i](trace);
    EXPECT_TRUE(fingerprints.insert(trace.Fingerprint()).second) << "change " << i;
  }
}

TEST(Fingerprint, TellsOrderAndBoundariesOfTextsApart) {
  Trace a = SomeTrace(), b = SomeTrace();
  a.events[0].name = "ab";
  a.events[0].old_text = "c";
  b.events[0].name = "a";
  b.events[0].old_text = "bc";
  EXPECT_NE(a.Fingerprint(), b.Fingerprint());
  a = b = SomeTrace();
  a.events[0].name = "x";
  b.events[1].name = "x";
  EXPECT_NE(a.Fingerprint(), b.Fingerprint());
}

}  // namespace
}  // namespace jacquard
