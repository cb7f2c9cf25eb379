// The scenario of RCU: 2 to 4 threads look at objects in two places, replace them, and reclaim what
// they have replaced.
//
// The rules:
//
//   An object is not reclaimed while a section is open that has found it.           kTooEarly
//   Nor is it found afterwards: the heap's oracle. (Whether a section began before the object was
//   unlinked is not a matter of time: on weak memory two full fences may be in either order until
//   somebody has looked. Who began before, in that order, may have found the object or may find it
//   yet; these two rules speak of both.)
//   What a section has found stays whole until the section is closed.               kGone
//   A callback runs once: it deletes its object, so that a second time would use what is freed; and
//   none is left over when its caller's Barrier has returned.                       kForgotten
//   A thread has as many sections open as it has opened.                            kDepth
//   Synchronize and Barrier return.                                  The runtime's: deadlock.
//
// What would be misuse where a thread stands is skipped without a step.
#ifndef JACQUARD_FUZZERS_RCU_SCENARIO_H_
#define JACQUARD_FUZZERS_RCU_SCENARIO_H_

#include <atomic>
#include <cstdint>
#include <string>

#include "fuzzers/scenario.h"
#include "lock/rcu.h"
#include "sim/runtime.h"

namespace jacquard {

class RcuScenario {
 public:
  static constexpr int kMinThreads = 2;
  static constexpr int kMaxThreads = 4;
  static constexpr bool kStartsTheSame = true;
  static constexpr int kPlaces = 2;
  static constexpr int kMaxDepth = 3;

  static auto Operations() {
    using S = RcuScenario;
    return jacquard::Operations<S>{
        {"read_lock", &S::ReadLock},
        {"read_unlock", &S::ReadUnlock},
        {"look", &S::Look, {"place", kPlaces}},
        {"look_again", &S::LookAgain, {"place", kPlaces}},
        {"replace", &S::Replace, {"place", kPlaces}},             // and wait, and reclaim
        {"replace_later", &S::ReplaceLater, {"place", kPlaces}},  // a callback reclaims
        {"synchronize", &S::Synchronize},
        {"run_callbacks", &S::RunCallbacks},
        {"barrier", &S::Barrier},
    };
  }

  JACQUARD_UNHOOKED RcuScenario() : simulated_(Simulated()) {}
  JACQUARD_UNHOOKED ~RcuScenario() {
    for (std::atomic<Object*>& place : places_) delete place.load(std::memory_order_relaxed);
  }

  const char* ReadLock() {
    Thread& me = Me();
    if (me.depth == kMaxDepth) return kSkipped;
    lock::Rcu::ReadLock();
    ++me.depth;
    Check(lock::Rcu::ReadDepth() == me.depth, kDepth);
    return nullptr;
  }

  const char* ReadUnlock() {
    Thread& me = Me();
    if (me.depth == 0) return kSkipped;
    if (--me.depth == 0) me.ForgetFound();
    lock::Rcu::ReadUnlock();
    Check(lock::Rcu::ReadDepth() == me.depth, kDepth);
    return nullptr;
  }

  const char* Look(int place) {
    Thread& me = Me();
    if (me.depth == 0) return kSkipped;
    // Acquire: pairs with the exchange of those who replace.
    const Object* const object = places_[place].load(std::memory_order_acquire);
    me.found[place] = object;
    if (object == nullptr) return "nothing";
    Check(object->value == kWhole, kGone);
    return "found";
  }

  const char* LookAgain(int place) {
    const Thread& me = Me();
    if (me.found[place] == nullptr) return kSkipped;
    Check(me.found[place]->value == kWhole, kGone);
    return nullptr;
  }

  const char* Replace(int place) {
    if (Me().depth != 0) return kSkipped;
    Object* const old = Exchange(place);
    if (old == nullptr) return "nothing";
    lock::Rcu::Synchronize();
    Reclaim(old);
    return "reclaimed";
  }

  const char* ReplaceLater(int place) {
    Object* const old = Exchange(place);
    if (old == nullptr) return "nothing";
    Account(+1);
    lock::Rcu::Call(*old, [](lock::RcuHead* head) {
      auto* const object = static_cast<Object*>(head);
      object->owner->Account(-1);
      object->owner->Reclaim(object);
    });
    return nullptr;
  }

  const char* Synchronize() {
    if (Me().depth != 0) return kSkipped;
    lock::Rcu::Synchronize();
    return nullptr;
  }

  bool RunCallbacks() { return lock::Rcu::RunCallbacks(); }

  const char* Barrier() {
    if (Me().depth != 0) return kSkipped;
    WaitForCallbacks();
    return nullptr;
  }

  // No callback may outlive the scenario.
  void EndThread() {
    while (Me().depth != 0) ReadUnlock();
    if (Me().called) WaitForCallbacks();
  }

  void CheckFinal() const { Check(pending_.load(std::memory_order_relaxed) == 0, kForgotten); }

  // Who is inside.
  JACQUARD_CHECK_CODE int StateFeature() const {
    int feature = 0;
    for (const Thread& thread : threads_) feature = feature * 2 + (thread.depth != 0 ? 1 : 0);
    return feature;
  }

  std::string NameOf(const void* address) const {
    for (int i = 0; i < kPlaces; ++i) {
      if (address == &places_[i]) return "place " + std::to_string(i);
    }
    return {};
  }

 private:
  static constexpr const char* kSkipped = "skipped";
  static constexpr const char* kTooEarly = "object reclaimed under a reader";
  static constexpr const char* kForgotten = "callback forgotten";
  static constexpr const char* kDepth = "depth of sections is not what was opened";
  static constexpr const char* kGone = "object is gone inside the section that found it";
  static constexpr int kWhole = 42;

  struct Object : lock::RcuHead {
    explicit Object(RcuScenario* s) : owner(s) {}
    int value = kWhole;
    RcuScenario* const owner;
  };

  struct Thread {
    JACQUARD_UNHOOKED Thread() = default;
    int depth = 0;
    bool called = false;
    const Object* found[kPlaces] = {};  // in the open section

    void ForgetFound() {
      for (const Object*& object : found) object = nullptr;
    }
  };

  JACQUARD_UNHOOKED Thread& Me() { return threads_[CurrentThread()]; }

  // Ghost state: no step, in the simulation only.
  JACQUARD_UNHOOKED void CheckNobodyHas(const Object& object) const {
    if (!simulated_) return;
    for (int t = 0; t < kMaxThreads; ++t) {
      for (const Object* const found : threads_[t].found) {
        if (found == &object) Fail(kTooEarly, "thread " + std::to_string(t) + " has found it");
      }
    }
  }

  // --- What the operations share ---

  Object* Exchange(int place) {
    // Acquire and release: pairs with itself and with Look; who finds the object sees it whole.
    return places_[place].exchange(new Object(this), std::memory_order_acq_rel);
  }

  void Reclaim(Object* object) {
    CheckNobodyHas(*object);
    Check(object->value == kWhole, kGone);
    object->value = 0;
    delete object;
  }

  // Callbacks that were asked for and have not run; relaxed: a count that Barrier orders.
  void Account(int change) {
    if (change > 0) Me().called = true;
    pending_.fetch_add(change, std::memory_order_relaxed);
  }

  void WaitForCallbacks() {
    Check(lock::Rcu::ReadDepth() == 0, kDepth);
    lock::Rcu::Barrier();
  }

  const bool simulated_;
  std::atomic<Object*> places_[kPlaces] = {};
  std::atomic<int> pending_{0};
  Thread threads_[kMaxThreads];
};

}  // namespace jacquard

#endif  // JACQUARD_FUZZERS_RCU_SCENARIO_H_
