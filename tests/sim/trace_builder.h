// Traces written by hand, for tests of what is made of them.
#ifndef JACQUARD_TESTS_SIM_TRACE_BUILDER_H_
#define JACQUARD_TESTS_SIM_TRACE_BUILDER_H_

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "sim/symbolize.h"
#include "sim/trace.h"

namespace jacquard {

class TraceBuilder {
 public:
  // One event each; the reference is good until the next one.
  TraceEvent& Begin(int thread, std::string text) {
    return Add(TraceEvent::Type::kOperationBegin, thread, std::move(text));
  }
  TraceEvent& End(int thread, std::string text = {}) {
    return Add(TraceEvent::Type::kOperationEnd, thread, std::move(text));
  }
  TraceEvent& Blocked(int thread, std::string text) {
    return Add(TraceEvent::Type::kBlocked, thread, std::move(text));
  }
  TraceEvent& Note(int thread, std::string text) {
    return Add(TraceEvent::Type::kNote, thread, std::move(text));
  }
  TraceEvent& Step(int thread, StepKind kind, std::string name = {}, uint64_t old_value = 0,
                   uint64_t new_value = 0, MemoryOrder order = MemoryOrder::kSeqCst,
                   std::string function = {}) {
    TraceEvent& event = Add(TraceEvent::Type::kStep, thread, {});
    event.step.kind = kind;
    event.step.order = order;
    event.step.size = kind <= StepKind::kReadModifyWrite ? 4 : 0;
    event.step.old_value = old_value;
    event.step.new_value = new_value;
    if (!name.empty()) event.step.address = AddressOf(name);
    event.name = std::move(name);
    if (!function.empty()) event.pc = PcOf(function);
    return event;
  }
  TraceEvent& Load(int thread, std::string name, uint64_t value, MemoryOrder order,
                   std::string function = {}) {
    return Step(thread, StepKind::kLoad, std::move(name), value, value, order, std::move(function));
  }

  // The last event follows a choice among alternatives.
  void Picked(PickKind kind, int alternatives, int choice) {
    TraceEvent& event = trace_.events.back();
    event.pick = kind;
    event.alternatives = alternatives;
    event.choice = choice;
  }
  // The last event's thread was switched to, although that was not the benign choice.
  void Switched() { Picked(PickKind::kSchedule, 2, 1); }
  // The last event's call stack, innermost first.
  void Stack(const std::vector<std::string>& functions) {
    for (const std::string& function : functions)
      trace_.events.back().stack.push_back(PcOf(function));
  }

  const Trace& trace() const { return trace_; }
  Trace& trace() { return trace_; }

  // What the functions' names given above stand for: "std::f|g" is f, inlined into g. Each function
  // is in a file of its own, on a line that follows from the order of first use.
  FrameLookup Lookup() const {
    return [pcs = pcs_](uintptr_t pc) {
      for (const auto& [functions, known] : pcs) {
        if (known == pc) return FramesOf(functions, static_cast<int>(pc & 0xFFF) / 4);
      }
      SourceFrame unknown;
      unknown.function = "0x?";
      return std::vector<SourceFrame>{unknown};
    };
  }

 private:
  TraceEvent& Add(TraceEvent::Type type, int thread, std::string text) {
    TraceEvent& event = trace_.events.emplace_back();
    event.type = type;
    event.index = trace_.events.size() - 1;
    event.step.thread = thread;
    event.text = std::move(text);
    trace_.threads = std::max(trace_.threads, thread + 1);
    return event;
  }

  static std::vector<SourceFrame> FramesOf(const std::string& functions, int line) {
    std::vector<SourceFrame> frames;
    for (size_t begin = 0; begin != std::string::npos;) {
      const size_t bar = functions.find('|', begin);
      SourceFrame frame;
      frame.function = functions.substr(begin, bar == std::string::npos ? bar : bar - begin);
      frame.inlined = bar != std::string::npos;
      frame.file = "lock/lock.h";
      if (frame.function.starts_with("std::")) frame.file = "/usr/include/c++/12/atomic";
      if (frame.function.starts_with("boost::")) frame.file = "/usr/include/boost/queue.hpp";
      frame.line = line;
      frames.push_back(std::move(frame));
      begin = bar == std::string::npos ? bar : bar + 1;
    }
    return frames;
  }

  uintptr_t PcOf(const std::string& functions) {
    return pcs_.try_emplace(functions, 0x401000 + 4 * (10 + 7 * pcs_.size())).first->second;
  }
  const void* AddressOf(const std::string& name) {
    const uintptr_t next = 0x7000'0000'0000 + 8 * addresses_.size();
    return reinterpret_cast<const void*>(addresses_.try_emplace(name, next).first->second);
  }

  Trace trace_;
  std::map<std::string, uintptr_t> pcs_;
  std::map<std::string, uintptr_t> addresses_;
};

}  // namespace jacquard

#endif  // JACQUARD_TESTS_SIM_TRACE_BUILDER_H_
