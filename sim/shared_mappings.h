// Files that the program has mapped as shared memory (MAP_SHARED), so that who maps the same part
// of one again gets the memory that is there already. Programs that share memory among processes
// are tested with threads that each map it: were that other addresses, a lock in it would be two,
// and a store by one address news of which nobody has heard at another.
#ifndef JACQUARD_SIM_SHARED_MAPPINGS_H_
#define JACQUARD_SIM_SHARED_MAPPINGS_H_

#include <sys/stat.h>

#include <algorithm>
#include <cstddef>

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
  struct Mapping {
    Part part;
    char* memory;
    int users;
    bool was_shared;  // has had more than one

    char* end() const { return memory + part.size; }
  };

  // Where it is mapped already. Null: nowhere.
  Mapping* Find(const Part& part) {
    Mapping* const found = std::find_if(
        begin(), end(), [&part](const Mapping& mapping) { return mapping.part == part; });
    return found == end() ? nullptr : found;
  }
  // The first one that has bytes of these; null if none has.
  Mapping* FindAt(const void* memory, size_t size) {
    const auto* const first = static_cast<const char*>(memory);
    Mapping* const found = std::find_if(begin(), end(), [=](const Mapping& mapping) {
      return first < mapping.end() && mapping.memory < first + size;
    });
    return found == end() ? nullptr : found;
  }
  void Add(const Part& part, void* memory) {
    if (count_ < kMost) mappings_[count_++] = {part, static_cast<char*>(memory), 1, false};
  }
  void Remove(Mapping& mapping) { mapping = mappings_[--count_]; }
  void Clear() { count_ = 0; }

 private:
  static constexpr size_t kMost = 256;

  Mapping* begin() { return mappings_; }
  Mapping* end() { return mappings_ + count_; }

  size_t count_ = 0;
  Mapping mappings_[kMost] = {};
};

}  // namespace jacquard::sim

#endif  // JACQUARD_SIM_SHARED_MAPPINGS_H_
