// Lock classes: locks that play the same part in a program are judged together.
//
// What is learned from one lock of a class holds for all of them, so an order that was seen among
// some counts for the rest. A class is a name, perhaps with the line where its locks are declared,
// and a subclass: locks of one class that are taken one within the other tell themselves apart by
// it.
#ifndef JACQUARD_LOCK_LOCKDEP_CLASSES_H_
#define JACQUARD_LOCK_LOCKDEP_CLASSES_H_

#include <cstdint>
#include <map>
#include <string>
#include <tuple>
#include <vector>

namespace jacquard::lock::lockdep {

using ClassId = std::uint32_t;

// Classes that were seen, numbered from 0. Not thread-safe. There may be any number of them.
class ClassTable {
 public:
  // `line` 0: the name stands alone. Classes are compared by what their names say, wherever the
  // texts lie. Costs a look into a tree.
  ClassId Find(const char* name, unsigned line, int subclass);

  // "mmap_lock", "cache.cc:17", "node/1" (of subclass 1).
  const std::string& NameOf(ClassId id) const { return infos_[id].name; }
  // The same without the line, which every edit moves.
  const std::string& StableNameOf(ClassId id) const { return infos_[id].stable_name; }
  std::size_t size() const { return infos_.size(); }

 private:
  struct Info {
    std::string name;
    std::string stable_name;
  };
  std::map<std::tuple<std::string, unsigned, int>, ClassId> ids_;
  std::vector<Info> infos_;
};

}  // namespace jacquard::lock::lockdep

#endif  // JACQUARD_LOCK_LOCKDEP_CLASSES_H_
