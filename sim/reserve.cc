#include "sim/reserve.h"

#include <sys/mman.h>

#include <string>

#include "sim/message.h"

namespace jacquard::sim {

void* ReserveAt(uintptr_t address, size_t size, const char* what) {
  void* const wanted = reinterpret_cast<void*>(address);
  void* const got = mmap(wanted, size, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);
  if (got != wanted) Die("cannot reserve memory for " + std::string(what));
  return got;
}

}  // namespace jacquard::sim
