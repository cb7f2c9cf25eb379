#include "sim/memory/memory.h"

#include "sim/arena.h"

namespace jacquard::sim {
namespace {

// In all histories of an execution together; when they are used up, histories are cut.
constexpr memory::Index kStores = 1 << 18;

}  // namespace

Memory::Memory() : narrow_(std::make_unique<Narrow>(kStores)) {}
Memory::~Memory() = default;

void Memory::BeginExecution(const Options& options, bool wide) {
  is_wide_ = is_widest_ = false;
  narrow_->BeginExecution(options);
  if (!wide) return;
  narrow_->RequestWider();
  Widened();
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

Memory::Wide& Memory::Widened() {
  if (!is_wide_) {
    const RealHeap real_heap;  // it outlives the execution
    if (wide_ == nullptr) wide_ = std::make_unique<Wide>(kStores);
    wide_->CopyFrom(*narrow_);
    is_wide_ = true;
  }
  return *wide_;
}

Memory::Widest& Memory::WidenedAgain() {
  if (!is_widest_) {
    const RealHeap real_heap;
    if (widest_ == nullptr) widest_ = std::make_unique<Widest>(kStores);
    widest_->CopyFrom(*wide_);
    is_widest_ = true;
  }
  return *widest_;
}

}  // namespace jacquard::sim
