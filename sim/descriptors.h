// Calls for descriptors as steps of the program: another thread may run before each, and what was
// written before comes before what is read behind.
//
// The files themselves are real. Where a call would wait (an empty pipe, a full one, an eventfd)
// its thread does, until what other threads do has made it ready. If none of them can run, and the
// world outside could do something, for which the simulation cannot wait, the execution ends as
// "unsupported".
#ifndef JACQUARD_SIM_DESCRIPTORS_H_
#define JACQUARD_SIM_DESCRIPTORS_H_

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "sim/engine.h"

namespace jacquard::sim {

// While it exists, the running thread is in such a call. Nothing happens outside of the simulation,
// and where a library makes the call, which may hold real locks: that is no step, and does not
// wait.
class DescriptorCall {
 public:
  enum class Effect : uint8_t {
    kGives,   // what the thread has done comes before what whoever takes from the file does
    kTakes,   // and that before what whoever gives again does: there is room now
    kCloses,  // gives, too: whoever reads is told of the end
  };

  // Whether a thread that is to be cancelled leaves instead.
  enum class Cancellation : uint8_t { kIsPoint, kIsNoPoint };

  using Visit = std::function<void(int file)>;

  // How a wait ends, and what it does where the handler of a signal has run in the middle of it.
  enum class End : uint8_t { kReady, kTimedOut, kInterrupted };
  enum class Interruption : uint8_t {
    kEnds,
    kEndsUnlessRestarted,  // SA_RESTART
    kIsNone,
  };

  // What a thread waits for.
  struct Awaited {
    bool (*is_ready)(const void* data);
    void (*for_each_file)(const void* data, const Visit& visit);
    const void* data;
    const char* what;
    Interruption interruption;
  };

  // `pc` is where the program calls. `file` may be -1 if the call takes: several.
  DescriptorCall(int file, Effect effect, uintptr_t pc,
                 Cancellation cancellation = Cancellation::kIsPoint);
  ~DescriptorCall();
  DescriptorCall(const DescriptorCall&) = delete;
  DescriptorCall& operator=(const DescriptorCall&) = delete;

  // Waits until `is_ready()`, which is not so yet and which others may ask, too, of the files that
  // `for_each_file(visit)` visits, or the deadline (virtual time) has passed. `what` the call is;
  // kept as it is.
  template <class IsReady, class ForEachFile>
  End Await(const char* what, uint64_t deadline, Interruption interruption, const IsReady& is_ready,
            const ForEachFile& for_each_file) const {
    struct Both {
      const IsReady& is_ready;
      const ForEachFile& for_each_file;
    };
    const Both both = {is_ready, for_each_file};
    return Wait({[](const void* data) { return static_cast<const Both*>(data)->is_ready(); },
                 [](const void* data, const Visit& visit) {
                   static_cast<const Both*>(data)->for_each_file(visit);
                 },
                 &both, what, interruption},
                deadline);
  }
  // The same for the file of the call, if it has to: until `is_ready(file())`.
  template <class IsReady>
  End AwaitOne(const char* what, uint64_t deadline, Interruption interruption,
               const IsReady& is_ready) {
    if (is_ready(file())) return End::kReady;
    Hold();
    return Await(
        what, deadline, interruption, [&] { return is_ready(file()); },
        [this](const Visit& visit) { visit(file()); });
  }
  // Looks at those that `for_each_file(visit)` visits without waiting. If there are timers among
  // them, time passes, as by a look at the clock.
  template <class ForEachFile>
  void LookAtTimers(const ForEachFile& for_each_file) const {
    PassTimeFor({nullptr,
                 [](const void* data, const Visit& visit) {
                   (*static_cast<const ForEachFile*>(data))(visit);
                 },
                 &for_each_file, "", Interruption::kIsNone});
  }
  // What has been written there so far comes before what the thread does from now on; and what it
  // has done so far before what whoever takes from there does. As the call does by itself, before
  // its end.
  void Take() const;
  void Give() const;
  // It has come back without anything that others have given, not even an error.
  void TakeNothing() { takes_nothing_ = true; }
  // Once it has waited, under a descriptor that the program does not know: as in the kernel, the
  // call goes on with the file even if its descriptor is closed in the meantime.
  int file() const { return held_ >= 0 ? held_ : file_; }

 private:
  void PassTimeFor(const Awaited& awaited) const;
  End Wait(const Awaited& awaited, uint64_t deadline) const;

  StepKind StepOf() const;
  void Hold();

  int file_;
  int held_ = -1;
  uintptr_t pc_;
  Effect effect_;
  bool is_step_;
  bool takes_nothing_ = false;
  mutable bool timed_out_ = false;     // it has waited in vain
  mutable bool is_cancelled_ = false;  // nor does the call do anything then
  int known_file_ = -1;                // files.h
};

// Makes those runnable who wait in such calls and whose files are ready, or sooner will be than
// they know. Whether there are any. Costs a system call for each who waits.
bool WakeReadyDescriptors();

// Of a thread that waits so: what it is in ("a read that waits"), with the descriptors it waits for
// ("a poll that waits for descriptors 4 and 5"), and whether another process might end that.
std::string_view DescriptorWaitOf(const SimThread& thread);
std::string DescribeDescriptorWait(const SimThread& thread);
bool WaitsForOthers(const SimThread& thread);

}  // namespace jacquard::sim

#endif  // JACQUARD_SIM_DESCRIPTORS_H_
