// A program: what one execution runs. The harness derives from it; Closure makes one of a function.
#ifndef JACQUARD_SIM_PROGRAM_H_
#define JACQUARD_SIM_PROGRAM_H_

#include <cstdint>
#include <functional>
#include <string>
#include <utility>

#include "sim/step.h"

namespace jacquard {

// Called by the runtime in this order, for every execution anew: Begin, RunThread for each thread
// side by side with OnStep after each step, End. All but RunThread are called with the hooks off:
// what they read and write makes no step, no decision and no event. Memory that is allocated in
// Begin, RunThread and End comes from the execution's arena and is gone afterwards, even when the
// execution is given up half-way (then no destructor runs); what OnStep allocates stays.
class Program {
 public:
  virtual ~Program() = default;

  // How many threads start at once, numbered from 0; at most kMaxThreads.
  virtual int ThreadCount() const = 0;

  virtual void Begin() {}
  virtual void RunThread(int thread) = 0;
  virtual void OnStep(const Step& /*step*/) {}
  // Whether OnStep is to be called at all; asked once an execution.
  virtual bool Observes() { return true; }
  virtual void End() {}

  // Words for the trace: the name of the object at `address` ("" if none), and of a value in it.
  virtual std::string NameOf(const void* /*address*/) { return {}; }
  virtual std::string TextOf(const void* /*address*/, uint64_t /*value*/) { return {}; }
  // What a thread holds, in words, as far as the runtime cannot know ("" if nothing).
  virtual std::string HeldBy(int /*thread*/) { return {}; }
  // The name of a named operation by its index ("" if none): for signatures and reports.
  virtual std::string OperationName(int /*operation*/) { return {}; }
};

// One thread, which calls `body`.
class Closure : public Program {
 public:
  explicit Closure(std::function<void()> body) : body_(std::move(body)) {}
  int ThreadCount() const override { return 1; }
  void RunThread(int /*thread*/) override { body_(); }
  bool Observes() override { return false; }

 private:
  const std::function<void()> body_;
};

}  // namespace jacquard

#endif  // JACQUARD_SIM_PROGRAM_H_
