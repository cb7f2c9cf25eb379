#include "jacquard/result_files.h"

#include <cstdio>

namespace jacquard::call {
namespace {

bool Write(const std::string& path, const std::string& text) {
  std::FILE* const file = std::fopen(path.c_str(), "w");
  if (file == nullptr) return false;
  const bool good = std::fwrite(text.data(), 1, text.size(), file) == text.size();
  return std::fclose(file) == 0 && good;
}

}  // namespace

FileTexts MakeFileTexts(const Options& options, const Verdict& verdict, const Trace& trace,
                        ReportOptions report) {
  FileTexts texts;
  if (!options.json.empty()) texts.json = FormatJson(verdict, trace, report);
  report.timeline.all = true;
  if (options.timeline.ends_with(".html")) {
    texts.timeline = FormatHtml(verdict, trace, report);
  } else if (!options.timeline.empty()) {
    texts.timeline = FormatReport(verdict, trace, report);
  }
  return texts;
}

std::string WriteFiles(const Options& options, const FileTexts& texts, const Result& result) {
  if (!options.json.empty() && !Write(options.json, texts.json))
    return "cannot write to " + options.json;
  if (!options.timeline.empty() && !Write(options.timeline, texts.timeline))
    return "cannot write to " + options.timeline;
  if (!options.result.empty() && !Write(options.result, ResultToJson(result, options)))
    return "cannot write to " + options.result;
  return {};
}

}  // namespace jacquard::call
