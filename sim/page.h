// The size of a page, on every x86-64 machine.
#ifndef JACQUARD_SIM_PAGE_H_
#define JACQUARD_SIM_PAGE_H_

#include <cstddef>

namespace jacquard::sim {

inline constexpr std::size_t kPageSize = 4096;

}  // namespace jacquard::sim

#endif  // JACQUARD_SIM_PAGE_H_
