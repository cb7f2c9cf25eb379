// The files that an exploration writes.
#ifndef JACQUARD_JACQUARD_RESULT_FILES_H_
#define JACQUARD_JACQUARD_RESULT_FILES_H_

#include <string>

#include "jacquard/jacquard.h"
#include "sim/report.h"

namespace jacquard::call {

// What is kept for them until the end.
struct FileTexts {
  std::string json;
  std::string timeline;
};

// Before a search whose results would be lost: "" or which file cannot be written.
std::string CheckFiles(const Options& options);

// Of the first finding, as far as `options` asks for it; of none, if `verdict` has passed.
FileTexts MakeFileTexts(const Options& options, const Verdict& verdict, const Trace& trace,
                        ReportOptions report);

// Writes these and the result. "" or what could not be written.
std::string WriteFiles(const Options& options, const FileTexts& texts, const Result& result);

}  // namespace jacquard::call

#endif  // JACQUARD_JACQUARD_RESULT_FILES_H_
