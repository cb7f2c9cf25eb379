// FormatHtml: one piece, nothing from outside, and no text of the trace can become part of the
// page.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "sim/report.h"
#include "tests/sim/trace_builder.h"

namespace jacquard {
namespace {

using nlohmann::json;

constexpr std::string_view kTrace = R"(<script type="application/json" id="trace">)";

size_t Count(std::string_view text, std::string_view part) {
  size_t count = 0;
  for (size_t at = text.find(part); at != std::string_view::npos; at = text.find(part, at + 1))
    ++count;
  return count;
}

// The JSON in the page, as a browser finds it.
std::string TraceIn(const std::string& page) {
  const size_t begin = page.find(kTrace) + kTrace.size();
  return page.substr(begin, page.find("</script>", begin) - begin);
}

std::string PageOf(const std::string& text) {
  TraceBuilder b;
  b.Begin(0, text);
  TraceEvent& step =
      b.Step(0, StepKind::kStore, text, 0, 1, MemoryOrder::kRelaxed, "Counter::" + text);
  step.new_text = text;
  step.held = {text};
  b.Note(0, text);
  b.End(0, text);
  const Verdict verdict = {
      .kind = VerdictKind::kInvariant, .message = text, .signature = text, .thread = 0, .step = 1};
  ReportOptions options;
  options.timeline.symbolize = b.Lookup();
  options.replay_command = text;
  return FormatHtml(verdict, b.trace(), options);
}

TEST(TimelineHtml, HoldsTheJson) {
  TraceBuilder b;
  b.Load(0, "counter", 0, MemoryOrder::kRelaxed);
  b.Step(1, StepKind::kStore, "counter", 0, 1);
  const Verdict verdict = {.kind = VerdictKind::kFinal, .message = "m", .signature = "s"};
  const std::string page = FormatHtml(verdict, b.trace());
  EXPECT_EQ(Count(page, kTrace), 1u);
  EXPECT_EQ(json::parse(TraceIn(page)), json::parse(FormatJson(verdict, b.trace())));
}

TEST(TimelineHtml, IsCompleteAndAsksForNothing) {
  const std::string page = PageOf("plain");
  EXPECT_NE(page.find("<!DOCTYPE html>"), std::string::npos);
  EXPECT_NE(page.find("</html>"), std::string::npos);
  EXPECT_NE(page.find("default-src 'none'"), std::string::npos);
  EXPECT_EQ(page.find("{{"), std::string::npos) << "a part of the page is missing";
  // The only address is the name of a vocabulary.
  std::string rest = page;
  constexpr std::string_view kSvg = "http://www.w3.org/2000/svg";
  for (size_t at = rest.find(kSvg); at != std::string::npos; at = rest.find(kSvg))
    rest.erase(at, kSvg.size());
  for (const char* const outside :
       {"http:", "https:", "//www", "@import", "url(h", "fetch(", "XMLHttpRequest", " src="})
    EXPECT_EQ(rest.find(outside), std::string::npos) << outside;
}

TEST(TimelineHtml, KeepsTextsOutOfThePage) {
  const std::string plain = PageOf("plain");
  for (const char* const text :
       {"</script><script>alert(1)</script>", "<!--", "<img src=x onerror=alert(1)>", "\"'\\&amp;",
        "{{model.js}}", "{{trace}}", ")page\"", "a\xff\x01\n b", "</SCRIPT >"}) {
    const std::string page = PageOf(text);
    // Around the JSON the page is the same, and the JSON cannot end the element that it is in.
    const size_t begin = page.find(kTrace) + kTrace.size();
    const std::string json_text = TraceIn(page);
    EXPECT_EQ(page.substr(0, begin), plain.substr(0, begin)) << text;
    EXPECT_EQ(page.substr(begin + json_text.size()),
              plain.substr(plain.find(kTrace) + kTrace.size() + TraceIn(plain).size()))
        << text;
    EXPECT_EQ(json_text.find('<'), std::string::npos) << text;
    const json document = json::parse(json_text);
    if (std::string_view(text).find('\xff') != std::string_view::npos) continue;  // no UTF-8
    EXPECT_EQ(document["verdict"]["message"], text);
    EXPECT_EQ(document["events"][0]["text"], text);
    EXPECT_EQ(document["events"][1]["step"]["name"], text);
    EXPECT_EQ(document["events"][1]["held"][0], text);
  }
}

TEST(TimelineHtml, OfAnEmptyTraceIsComplete) {
  const std::string page = FormatHtml(Verdict(), Trace());
  EXPECT_TRUE(json::parse(TraceIn(page))["events"].empty());
  EXPECT_NE(page.find("</html>"), std::string::npos);
}

TEST(TimelineHtml, IsTheSameForTheSameTrace) { EXPECT_EQ(PageOf("a"), PageOf("a")); }

}  // namespace
}  // namespace jacquard
