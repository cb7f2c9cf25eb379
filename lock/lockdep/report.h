// What the validator says when a rule is broken, and to whom.
#ifndef JACQUARD_LOCK_LOCKDEP_REPORT_H_
#define JACQUARD_LOCK_LOCKDEP_REPORT_H_

#include <string>

namespace jacquard::lock::lockdep {

enum class Rule {
  kCircular,    // possible circular locking dependency detected
  kRecursive,   // possible recursive locking detected
  kNestLock,    // Nested lock was not taken
  kUnlock,      // bad unlock balance detected!
  kDowngrade,   // downgrading a read lock
  kFreed,       // held lock freed!
  kHeldAtExit,  // lock held at exit!
  kRcu,         // suspicious RCU usage
};

// The words by which users know the rule, as above.
const char* HeadlineOf(Rule rule);

struct Report {
  Rule rule = Rule::kCircular;
  std::string headline;
  // By which the next report of the same thing is recognised: the headline and the classes, without
  // lines and threads.
  std::string signature;
  std::string text;  // for a person; ends with a newline
};

// Called once, on the thread that broke the rule, with no lock of the validator held. Checking is
// off by then. The report is valid during the call.
using ReportHandler = void (*)(const Report& report);

// Prints on standard error; the program goes on.
void PrintReport(const Report& report);
// Prints on standard error and aborts.
[[noreturn]] void PrintReportAndAbort(const Report& report);

}  // namespace jacquard::lock::lockdep

#endif  // JACQUARD_LOCK_LOCKDEP_REPORT_H_
