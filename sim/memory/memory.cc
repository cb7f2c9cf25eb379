#include "sim/memory/memory.h"

#include "sim/arena.h"

namespace jacquard::sim {
namespace {

// In all histories of an execution together; when they are used up, histories are cut. Each of as
// many atomic objects as there are steps has one.
constexpr memory::Index kStores = 1 << 20;

}  // namespace

Memory::Memory() : narrow_(std::make_unique<Narrow>(kStores)) {}
Memory::~Memory() = default;

void Memory::BeginExecution(const Options& options, bool wide) {
  is_medium_ = is_wide_ = is_widest_ = false;
  narrow_->BeginExecution(options);
  plain_records.BeginExecution();
  if (!wide) return;
  narrow_->RequestWider();
  ToMedium();
}

const char* memory::AccessKindName(AccessKind kind) {
  switch (kind) {
    case AccessKind::kPlainRead:
      return "plain read";
    case AccessKind::kPlainWrite:
      return "plain write";
    case AccessKind::kAtomicRead:
      return "atomic read";
    case AccessKind::kAtomicWrite:
      return "atomic write";
  }
  return "unknown";
}

namespace {

// `wide` takes over from `narrow`, unless it has (`done`).
template <class WideModel, class NarrowModel>
WideModel& TakeOver(NarrowModel& narrow, std::unique_ptr<WideModel>& wide, bool& done) {
  if (!done) {
    const RealHeap real_heap;  // it outlives the execution
    if (wide == nullptr) wide = std::make_unique<WideModel>(kStores);
    wide->CopyFrom(narrow);
    done = true;
  }
  return *wide;
}

}  // namespace

Memory::Medium& Memory::ToMedium() { return TakeOver(*narrow_, medium_, is_medium_); }
Memory::Wide& Memory::ToWide() { return TakeOver(ToMedium(), wide_, is_wide_); }
Memory::Widest& Memory::ToWidest() { return TakeOver(ToWide(), widest_, is_widest_); }

}  // namespace jacquard::sim
