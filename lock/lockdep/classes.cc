#include "lock/lockdep/classes.h"

namespace jacquard::lock::lockdep {

ClassId ClassTable::Find(const char* name, unsigned line, int subclass) {
  const auto [entry, is_new] =
      ids_.try_emplace({name, line, subclass}, static_cast<ClassId>(infos_.size()));
  if (is_new) {
    const std::string suffix = subclass == 0 ? "" : "/" + std::to_string(subclass);
    const std::string place = line == 0 ? "" : ":" + std::to_string(line);
    infos_.push_back({name + place + suffix, name + suffix});
  }
  return entry->second;
}

}  // namespace jacquard::lock::lockdep
