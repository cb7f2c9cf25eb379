// The fingerprint of a trace.
#include "sim/trace.h"

#include <cstdint>
#include <string>

namespace jacquard {
namespace {

// Order and boundaries matter: every number is mixed in whole, every text with its length before
// it.
class Hash {
 public:
  void Add(uint64_t value) {
    // The finaliser of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014), chained.
    uint64_t mixed = (state_ ^ value) + 0x9e3779b97f4a7c15;
    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
    state_ = mixed ^ (mixed >> 31);
  }
  void Add(const std::string& text) {
    Add(text.size());
    for (const unsigned char byte : text) Add(byte);
  }
  uint64_t value() const { return state_; }

 private:
  uint64_t state_ = 0;
};

uint64_t Number(int value) { return static_cast<uint64_t>(static_cast<int64_t>(value)); }

}  // namespace

uint64_t Trace::Fingerprint() const {
  Hash hash;
  hash.Add(Number(threads));
  hash.Add(events.size());
  for (const TraceEvent& event : events) {
    hash.Add(static_cast<uint64_t>(event.type));
    hash.Add(event.index);
    hash.Add(Number(event.step.thread));
    hash.Add(Number(event.step.operation));
    hash.Add(static_cast<uint64_t>(event.step.kind));
    hash.Add(static_cast<uint64_t>(event.step.order));
    hash.Add(event.step.size);
    hash.Add(reinterpret_cast<uintptr_t>(event.step.address));
    hash.Add(event.step.old_value);
    hash.Add(event.step.new_value);
    if (!event.step.newest) hash.Add(1);
    hash.Add(event.name);
    hash.Add(event.old_text);
    hash.Add(event.new_text);
    hash.Add(event.text);
    hash.Add(event.pc);
    hash.Add(event.stack.size());
    for (const uintptr_t pc : event.stack) hash.Add(pc);
    hash.Add(LowOf(event.enabled));
    for (ThreadSet left = event.enabled >> 64; left != 0; left >>= 64) hash.Add(LowOf(left));
    hash.Add(static_cast<uint64_t>(event.reads_from));
    hash.Add(static_cast<uint64_t>(event.pick));
    hash.Add(Number(event.alternatives));
    hash.Add(Number(event.choice));
  }
  // Nothing is added where there are none, as in all traces before there were places.
  for (const TracePlace& place : places) {
    hash.Add(place.what);
    hash.Add(Number(place.thread));
    hash.Add(place.step);
    hash.Add(place.pc);
    hash.Add(place.stack.size());
    for (const uintptr_t pc : place.stack) hash.Add(pc);
  }
  return hash.value();
}

}  // namespace jacquard
