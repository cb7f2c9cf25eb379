#include "sim/random_answers.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>

namespace jacquard {

ChoiceLog::~ChoiceLog() {
  if (choices_ != nullptr) munmap(choices_, capacity_ * sizeof(*choices_));
}

void ChoiceLog::Grow() {
  constexpr size_t kFirst = 1 << 14;
  const size_t capacity = std::max(kFirst, 2 * capacity_);
  void* const pages = choices_ == nullptr
                          ? mmap(nullptr, capacity * sizeof(*choices_), PROT_READ | PROT_WRITE,
                                 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
                          : mremap(choices_, capacity_ * sizeof(*choices_),
                                   capacity * sizeof(*choices_), MREMAP_MAYMOVE);
  if (pages == MAP_FAILED) std::abort();
  choices_ = static_cast<uint32_t*>(pages);
  capacity_ = capacity;
}

}  // namespace jacquard
