#include "jacquard/result_files.h"

#include <unistd.h>

#include <cstdio>

namespace jacquard::call {
namespace {

bool Write(const std::string& path, const std::string& text) {
  std::FILE* const file = std::fopen(path.c_str(), "w");
  if (file == nullptr) return false;
  const bool good = std::fwrite(text.data(), 1, text.size(), file) == text.size();
  return std::fclose(file) == 0 && good;
}

// As far as can be told without opening it: it may be a pipe, whose reader waits for all there is.
bool MayBeWritten(const std::string& path) {
  if (access(path.c_str(), F_OK) == 0) return access(path.c_str(), W_OK) == 0;
  const size_t slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  return access(folder.c_str(), W_OK) == 0;
}

std::string CannotWrite(const std::string& path) { return "cannot write to " + path; }

}  // namespace

std::string CheckFiles(const Options& options) {
  for (const std::string* const path : {&options.json, &options.timeline, &options.result}) {
    if (!path->empty() && !MayBeWritten(*path)) return CannotWrite(*path);
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
