// Files that the program has mapped as shared memory (MAP_SHARED), so that who maps the same part
// of one again gets the memory that is there already. Programs that share memory among processes
// are tested with threads that each map it: were that other addresses, a lock in it would be two,
// and a store by one address news of which nobody has heard at another.
#ifndef JACQUARD_SIM_SHARED_MAPPINGS_H_
#define JACQUARD_SIM_SHARED_MAPPINGS_H_

#include <sys/stat.h>

#include <cstddef>
#include <cstdint>

namespace jacquard::sim {

class SharedMappings {
 public:
  struct Part {
    dev_t device;
    ino_t file;
    off_t offset;
    size_t size;
    int protection;
    int flags;
    bool operator==(const Part&) const = default;
  };

  // Where it is mapped already; that counts as one more mapping. Null: nowhere.
  void* MapAgain(const Part& part) {
    for (size_t i = 0; i < count_; ++i) {
      Mapping& mapping = mappings_[i];
      if (mapping.part != part) continue;
      ++mapping.users;
      return mapping.memory;
    }
    return nullptr;
  }
  void Add(const Part& part, void* memory) {
    if (count_ < kMost) mappings_[count_++] = {part, memory, 1};
  }

  // `size` bytes at `memory` are to be unmapped. Whether they stay, as somebody else has mapped
  // just them as well.
  bool StaysMapped(const void* memory, size_t size) {
    for (size_t i = count_; i-- > 0;) {
      Mapping& mapping = mappings_[i];
      if (mapping.memory == memory && mapping.part.size == size && --mapping.users > 0) return true;
    }
    Forget(memory, size);
    return false;
  }
  // What lies there is something else from now on.
  void Forget(const void* memory, size_t size) {
    const auto begin = reinterpret_cast<uintptr_t>(memory);
    for (size_t i = count_; i-- > 0;) {
      const auto other = reinterpret_cast<uintptr_t>(mappings_[i].memory);
      if (begin < other + mappings_[i].part.size && other < begin + size)
        mappings_[i] = mappings_[--count_];
    }
  }
  void ForgetAll() { count_ = 0; }

 private:
  static constexpr size_t kMost = 256;
  struct Mapping {
    Part part;
    void* memory;
    int users;
  };

  size_t count_ = 0;
  Mapping mappings_[kMost] = {};
};

}  // namespace jacquard::sim

#endif  // JACQUARD_SIM_SHARED_MAPPINGS_H_
