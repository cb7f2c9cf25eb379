// Puts reports into words, in the layout that readers of Linux's lockdep know.
#ifndef JACQUARD_LOCK_LOCKDEP_WRITER_H_
#define JACQUARD_LOCK_LOCKDEP_WRITER_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "lock/lockdep/checker.h"
#include "lock/lockdep/classes.h"
#include "lock/lockdep/graph.h"
#include "lock/lockdep/report.h"
#include "lock/lockdep/task.h"

namespace jacquard::lock::lockdep {

// Of what `task` does at `place`. Each function writes the report of one rule that it has broken.
// Looks up source lines: slow. Under the checker's mutex.
class Writer {
 public:
  Writer(const ClassTable& classes, const Task& task, Checker::StackCapture capture,
         std::uintptr_t place)
      : classes_(classes), task_(task), capture_(capture), place_(place) {}

  // It wants a lock of `wanted`, and `path` leads from there to `held`.
  Report Circular(ClassId wanted, AcquireMode mode, const HeldLock& held,
                  const std::vector<PathStep>& path) const;
  Report Recursive(ClassId wanted, AcquireMode mode, const HeldLock& held) const;
  Report NestLock(ClassId wanted, AcquireMode mode) const;
  // `holder`: another thread that holds it; null if none does.
  Report Unlock(ClassId released, const Task* holder) const;
  // `held`: as a reader.
  Report Downgrade(ClassId downgraded, bool held) const;
  Report Freed(const Task& holder, const void* begin, std::size_t size) const;
  Report HeldAtExit() const;
  Report Rcu(const std::string& what) const;

 private:
  // A thread in the scenario: it holds one lock and wants the next one's.
  struct Actor {
    std::string holds;
    std::string wants;
  };

  Report Finish(Rule rule, const std::string& body, const std::vector<ClassId>& involved) const;
  std::string Me() const { return "thread " + std::to_string(task_.number()); }
  std::string Name(ClassId id) const { return "(" + classes_.NameOf(id) + ")"; }
  std::string Wanted(ClassId id, AcquireMode mode) const;
  std::string Line(const HeldLock& held) const;
  std::string Trying(ClassId wanted, AcquireMode mode) const;
  std::string HeldLocks() const;
  std::string StackLines(const Stack& stack) const;
  std::string Call(ClassId id, AcquireMode mode) const;
  std::string Scenario(const std::vector<Actor>& actors) const;
  std::string Gates(const HeldLock& held, const std::vector<PathStep>& path) const;

  const ClassTable& classes_;
  const Task& task_;
  const Checker::StackCapture capture_;
  const std::uintptr_t place_;
};

}  // namespace jacquard::lock::lockdep

#endif  // JACQUARD_LOCK_LOCKDEP_WRITER_H_
