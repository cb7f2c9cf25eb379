#include "jacquard/result_files.h"

#include <cstdio>

#include "fuzzers/files.h"

namespace jacquard::call {
namespace {

bool Write(const std::string& path, const std::string& text) {
  std::FILE* const file = std::fopen(path.c_str(), "w");
  if (file == nullptr) return false;
  const bool good = std::fwrite(text.data(), 1, text.size(), file) == text.size();
  return std::fclose(file) == 0 && good;
}

std::string CannotWrite(const std::string& path) { return "cannot write to " + path; }

}  // namespace

std::string CheckFiles(const Options& options) {
  for (const std::string* const path : {&options.json, &options.timeline, &options.result}) {
    if (path->empty()) continue;
    if (const std::string problem = fuzzers::WriteProblem(*path); !problem.empty())
      return CannotWrite(problem);
  }
  return {};
}

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
  if (!options.json.empty() && !Write(options.json, texts.json)) return CannotWrite(options.json);
  if (!options.timeline.empty() && !Write(options.timeline, texts.timeline))
    return CannotWrite(options.timeline);
  if (!options.result.empty() && !Write(options.result, ResultToJson(result, options)))
    return CannotWrite(options.result);
  return {};
}

}  // namespace jacquard::call
