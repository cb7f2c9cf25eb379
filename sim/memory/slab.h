// A large array whose pages exist once they are touched. Entries are handed out upwards, and all
// taken back at once; nothing is constructed.
#ifndef JACQUARD_SIM_MEMORY_SLAB_H_
#define JACQUARD_SIM_MEMORY_SLAB_H_

#include <sys/mman.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <type_traits>

#include "sim/message.h"

namespace jacquard::sim::memory {

// The place of an entry; 0 is none.
using Index = uint32_t;

template <class T>
class Slab {
 public:
  static_assert(std::is_trivially_destructible_v<T>);

  // Reserves addresses; new pages read as zeros. Ends the process if the system refuses.
  explicit Slab(Index capacity) : capacity_(capacity) {
    void* const pages = mmap(nullptr, bytes(), PROT_READ | PROT_WRITE,
                             MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (pages == MAP_FAILED) {
      Die("no room for " + std::to_string(bytes() >> 20) +
          " MiB of addresses for the memory model (a limit of address space, or no overcommit?)");
    }
    data_ = static_cast<T*>(pages);
  }
  ~Slab() { munmap(data_, bytes()); }
  Slab(const Slab&) = delete;
  Slab& operator=(const Slab&) = delete;

  T& operator[](Index index) { return data_[index]; }
  const T& operator[](Index index) const { return data_[index]; }
  Index IndexOf(const T& entry) const { return static_cast<Index>(&entry - data_); }

  // All entries are zeros again, and their pages are given back.
  void SetZero() { madvise(data_, bytes(), MADV_DONTNEED); }

  // The next entry, with whatever it held before; 0 if all are taken.
  Index Take() { return end_ < capacity_ ? end_++ : 0; }
  void TakeBackAll() { end_ = 1; }
  // Entries [1, end()) are taken.
  Index end() const { return end_; }
  void set_end(Index end) { end_ = end; }
  Index capacity() const { return capacity_; }

 private:
  size_t bytes() const { return sizeof(T) * size_t{capacity_}; }

  Index capacity_;
  Index end_ = 1;
  T* data_;
};

}  // namespace jacquard::sim::memory

#endif  // JACQUARD_SIM_MEMORY_SLAB_H_
