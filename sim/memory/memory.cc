#include "sim/memory/memory.h"

namespace jacquard::sim {
namespace {

// In all histories of an execution together; when they are used up, histories are cut.
constexpr memory::Index kStores = 1 << 18;

}  // namespace

Memory::Memory() : narrow_(std::make_unique<Narrow>(kStores)) {}
Memory::~Memory() = default;

void Memory::BeginExecution(const Options& options, bool wide) {
  is_wide_ = false;
  narrow_->BeginExecution(options);
  if (!wide) return;
  narrow_->RequestWider();
  Widened();
}

Memory::Wide& Memory::Widened() {
  if (!is_wide_) {
    if (wide_ == nullptr) wide_ = std::make_unique<Wide>(kStores);
    wide_->CopyFrom(*narrow_);
    is_wide_ = true;
  }
  return *wide_;
}

}  // namespace jacquard::sim
