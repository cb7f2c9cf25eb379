// FormatHtml: the page of timeline_page/, with the trace inside.
#include <string>
#include <string_view>

#include "sim/json.h"
#include "sim/report.h"
#include "sim/timeline_page.h"

namespace jacquard {
namespace {

// `json` as it may stand inside a <script>: a "<" is only ever inside a text, and without one
// nothing can end the element, or begin a comment in it.
std::string WithoutTags(std::string_view json) {
  std::string text;
  text.reserve(json.size() + json.size() / 64);
  for (const char c : json) {
    if (c == '<') {
      text += "\\u003c";
    } else {
      text += c;
    }
  }
  return text;
}

}  // namespace

std::string FormatHtml(const Verdict& verdict, const Trace& trace, const ReportOptions& options) {
  constexpr std::string_view kMark = "{{trace}}";
  constexpr size_t kPlace = sim::kTimelinePage.find(kMark);
  static_assert(kPlace != std::string_view::npos);
  std::string page(sim::kTimelinePage.substr(0, kPlace));
  page += WithoutTags(sim::TraceJson(verdict, trace, options, -1));
  page += sim::kTimelinePage.substr(kPlace + kMark.size());
  return page;
}

}  // namespace jacquard
