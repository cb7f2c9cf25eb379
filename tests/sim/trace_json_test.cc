// FormatJson: what docs/trace_json.md promises.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "sim/report.h"
#include "tests/sim/golden.h"
#include "tests/sim/trace_builder.h"

namespace jacquard {
namespace {

using nlohmann::json;

struct Example {
  TraceBuilder builder;
  Verdict verdict;
  ReportOptions options;
};

Example LostUpdate() {
  Example example;
  TraceBuilder& b = example.builder;
  b.Begin(0, "add(1)").step.operation = 2;
  b.Load(0, "counter", 0, MemoryOrder::kRelaxed, "std::atomic<int>::load|Counter::Add").enabled = 3;
  b.Load(1, "counter", 0, MemoryOrder::kRelaxed, "std::atomic<int>::load|Counter::Add").enabled = 3;
  b.Switched();
  TraceEvent& store = b.Step(1, StepKind::kStore, "counter", 0, 0xffffffffffffffff,
                             MemoryOrder::kRelease, "Counter::Add");
  store.old_text = "zero";
  store.new_text = "minus one";
  store.held = {"mutex m"};
  b.Stack({"main"});
  TraceEvent& load = b.Load(0, "counter", 0xffffffffffffffff, MemoryOrder::kAcquire);
  load.reads_from = 3;
  b.Step(0, StepKind::kThreadEnd);
  example.verdict = {.kind = VerdictKind::kInvariant,
                     .message = "updates are not lost: \"1\"",
                     .signature = "invariant|updates are not lost|add",
                     .thread = 0,
                     .step = 4};
  example.options.timeline.symbolize = b.Lookup();
  example.options.replay_command = "replay it";
  return example;
}

std::string Text(const Example& example) {
  return FormatJson(example.verdict, example.builder.trace(), example.options);
}

TEST(TraceJson, LooksAsDocumented) { ExpectGolden("lost_update.json", Text(LostUpdate())); }

// All keys of objects in `value`, but not the addresses that are the keys of "frames".
void CollectKeys(const json& value, std::set<std::string>& keys) {
  for (const auto& [key, part] : value.items()) {
    if (value.is_object() && !key.starts_with("0x")) keys.insert(key);
    if (part.is_structured()) CollectKeys(part, keys);
  }
}

// With a place that the verdict is about.
Example WithPlace() {
  Example example = LostUpdate();
  TracePlace place;
  place.what = "freed";
  place.thread = 1;
  place.step = 3;
  place.pc = 0x402000;
  place.stack = {0x402100, 0x402200};
  example.builder.trace().places.push_back(place);
  return example;
}

TEST(TraceJson, HasNoKeyThatIsNotDocumented) {
  const std::string manual = FileText("docs/trace_json.md");
  ASSERT_NE(manual, "");
  std::set<std::string> keys;
  CollectKeys(json::parse(Text(WithPlace())), keys);
  EXPECT_GT(keys.size(), 20u);
  for (const std::string& key : keys)
    EXPECT_NE(manual.find("| `" + key + "` |"), std::string::npos) << key;
}

TEST(TraceJson, AllKindsOfVerdictsAreDocumented) {
  const std::string manual = FileText("docs/trace_json.md");
  const std::string row = manual.substr(manual.find("| `kind` | text | `pass`"));
  for (int kind = 0; kind <= static_cast<int>(VerdictKind::kUnsupported); ++kind) {
    const std::string name = VerdictKindName(static_cast<VerdictKind>(kind));
    EXPECT_NE(row.substr(0, row.find('\n')).find("`" + name + "`"), std::string::npos) << name;
  }
}

TEST(TraceJson, HoldsVerdictAndEvents) {
  const json document = json::parse(Text(LostUpdate()));
  EXPECT_EQ(document["jacquard_trace"], 1);
  EXPECT_EQ(document["verdict"]["kind"], "invariant");
  EXPECT_EQ(document["verdict"]["message"], "updates are not lost: \"1\"");
  EXPECT_EQ(document["verdict"]["event"], 4);
  EXPECT_EQ(document["replay"], "replay it");
  EXPECT_EQ(document["threads"], 2);
  ASSERT_EQ(document["events"].size(), 6u);
  EXPECT_EQ(document["events"][2]["pick"]["choice"], 1);
  EXPECT_EQ(document["events"][1]["enabled"], json::array({0, 1}));
  EXPECT_EQ(document["events"][4]["step"]["reads_from"], 3);
}

TEST(TraceJson, KeepsAllBitsOfValues) {
  const json document = json::parse(Text(LostUpdate()));
  EXPECT_EQ(document["events"][3]["step"]["new"], "0xffffffffffffffff");
}

TEST(TraceJson, NamesEveryProgramCounterOnce) {
  const json document = json::parse(Text(LostUpdate()));
  const json& frames = document["frames"];
  EXPECT_EQ(frames.size(), 3u);
  for (const json& event : document["events"]) {
    if (event.contains("pc")) EXPECT_TRUE(frames.contains(event["pc"].get<std::string>()));
  }
  const std::string pc = document["events"][1]["pc"];
  EXPECT_EQ(frames[pc][0]["inlined"], true);
  EXPECT_EQ(frames[pc][1]["function"], "Counter::Add");
}

TEST(TraceJson, NumbersStepsAsTheVerdictCounts) {
  const json document = json::parse(Text(LostUpdate()));
  EXPECT_FALSE(document["events"][0].contains("number"));
  EXPECT_EQ(document["events"][1]["number"], 1);
  EXPECT_EQ(document["events"][4]["number"], 4);
  EXPECT_FALSE(document["events"][5].contains("number"));  // the end of a thread is no step
}

TEST(TraceJson, SaysInWordsWhatTheReportSays) {
  const Example example = LostUpdate();
  const json document = json::parse(Text(example));
  const std::string report = FormatReport(example.verdict, example.builder.trace(),
                                          {.timeline = {.all = true}, .replay_command = {}});
  EXPECT_EQ(document["events"][3]["words"], "counter zero→minus one (store release)");
  for (const json& event : document["events"]) {
    ASSERT_EQ(event.contains("words"), event["type"] == "step");
    if (event.contains("words"))
      EXPECT_NE(report.find(event["words"].get<std::string>()), std::string::npos) << event;
  }
  ASSERT_EQ(document["decisions"].size(), 1u);
  EXPECT_NE(document["decisions"][0].get<std::string>().find("thread 1 runs instead"),
            std::string::npos);
}

TEST(TraceJson, TellsWhatIsHeldAndWhatIsDull) {
  TraceBuilder b;
  for (int i = 0; i < 4; ++i) b.Load(0, "a", 0, MemoryOrder::kRelaxed);
  b.Step(0, StepKind::kMutexLock, "m").held = {"mutex m", "mm for writing"};
  const json events = json::parse(FormatJson(Verdict(), b.trace()))["events"];
  EXPECT_EQ(events[4]["held"], json::array({"mutex m", "mm for writing"}));
  EXPECT_FALSE(events[0].contains("held"));
  EXPECT_EQ(events[1]["dull"], true);
  EXPECT_FALSE(events[4].contains("dull"));
}

TEST(TraceJson, HoldsPlacesWithTheirFrames) {
  const json document = json::parse(Text(WithPlace()));
  ASSERT_EQ(document["places"].size(), 1u);
  const json& place = document["places"][0];
  EXPECT_EQ(place["what"], "freed");
  EXPECT_EQ(place["thread"], 1);
  EXPECT_EQ(place["step"], 3);
  EXPECT_EQ(place["stack"], json::array({"0x402100", "0x402200"}));
  for (const char* const pc : {"0x402000", "0x402100", "0x402200"})
    EXPECT_TRUE(document["frames"].contains(pc)) << pc;
  EXPECT_FALSE(json::parse(Text(LostUpdate())).contains("places"));
}

TEST(TraceJson, OfAnEmptyTraceIsComplete) {
  const json document = json::parse(FormatJson(Verdict(), Trace()));
  EXPECT_EQ(document["verdict"]["kind"], "pass");
  EXPECT_TRUE(document["events"].empty());
  EXPECT_TRUE(document["frames"].empty());
}

TEST(TraceJson, ReplacesWhatIsNotUtf8) {
  Example example = LostUpdate();
  example.verdict.message = "a\xff z";
  EXPECT_EQ(json::parse(Text(example))["verdict"]["message"], "a\uFFFD z");
}

}  // namespace
}  // namespace jacquard
