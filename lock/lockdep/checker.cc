#include "lock/lockdep/checker.h"

#include <algorithm>
#include <utility>

#include "lock/lockdep/writer.h"

namespace jacquard::lock::lockdep {

// ---- the life of the books

void Checker::Reset() {
  const std::lock_guard lock(mutex_);
  graph_.Clear();
  chains_.clear();
  if (++generations_ == 0) ++generations_;
  generation_.store(generations_, std::memory_order_relaxed);
}

void Checker::AddTask(Task& task) {
  const std::lock_guard lock(mutex_);
  tasks_.push_back(&task);
}

void Checker::RemoveTask(Task& task) {
  const std::lock_guard lock(mutex_);
  std::erase(tasks_, &task);
}

Checker::Statistics Checker::statistics() {
  const std::lock_guard lock(mutex_);
  return {classes_.size(), graph_.edge_count(), chains_.size()};
}

void Checker::Publish(std::unique_lock<std::mutex> lock, Report report) {
  // Relaxed: one of those who report at the same time is the first, which is all that matters.
  if (generation_.exchange(0, std::memory_order_relaxed) == 0) return;
  report_ = std::move(report);
  lock.unlock();
  handler_.load(std::memory_order_relaxed)(report_);  // relaxed: as in SetHandler
}

ClassId Checker::FindClass(Task& task, const Map& map, int subclass) {
  const std::lock_guard lock(mutex_);
  const ClassId id = classes_.Find(map.name(), map.line(), subclass);
  task.RememberClass(map.name(), map.line(), subclass, id);
  return id;
}

// ---- taking locks

void Checker::Acquire(Task& task, const Map& map, const Acquisition& acquisition,
                      std::uintptr_t place) {
  if (!Begin(task)) return;
  const ClassId class_id = ClassOf(task, map, acquisition.subclass);
  if (acquisition.nest_lock != nullptr && task.Find(acquisition.nest_lock) < 0) [[unlikely]] {
    std::unique_lock lock(mutex_);
    const Writer writer(classes_, task, capture_, place);
    Report report = writer.NestLock(class_id, acquisition.mode);
    return Publish(std::move(lock), std::move(report));
  }
  if (!acquisition.try_lock && task.depth() > 0) {
    int held = -1;
    switch (FindSameClass(task, class_id, acquisition, &held)) {
      case SameClass::kNone: {
        const std::uint64_t chain = ExtendChain(task.chain(), class_id, acquisition.mode);
        if (!task.Knows(chain) && !Validate(task, class_id, acquisition.mode, place, chain)) return;
        break;
      }
      case SameClass::kNested:
        // Whoever holds one of the class may take another: this adds nothing to the order. What was
        // taken in between comes after the first.
        break;
      case SameClass::kRecursion: {
        std::unique_lock lock(mutex_);
        const Writer writer(classes_, task, capture_, place);
        Report report = writer.Recursive(class_id, acquisition.mode, task[held]);
        return Publish(std::move(lock), std::move(report));
      }
    }
  }
  if (task.IsFull()) [[unlikely]] {
    const std::lock_guard lock(mutex_);
    task.Grow();
  }
  task.Push(&map, class_id, acquisition.mode, acquisition.try_lock, place);
}

// `held`: of a recursion, the first one that is in the way.
Checker::SameClass Checker::FindSameClass(const Task& task, ClassId class_id,
                                          const Acquisition& acquisition, int* held) {
  SameClass found = SameClass::kNone;
  bool nest_lock_held = false;
  for (int i = 0; i < task.depth(); ++i) {
    const HeldLock& lock = task[i];
    nest_lock_held |= acquisition.nest_lock != nullptr &&
                      lock.instance.load(std::memory_order_relaxed) == acquisition.nest_lock;
    if (lock.class_id != class_id) continue;
    const bool both_read =
        acquisition.mode == AcquireMode::kSharedRecursive && lock.mode != AcquireMode::kExclusive;
    if (!both_read && !nest_lock_held) {
      *held = i;
      return SameClass::kRecursion;
    }
    found = SameClass::kNested;
  }
  return found;
}

Taking Checker::Describe(const Task& task, AcquireMode mode, std::uintptr_t place) const {
  Taking taking = {.mode = mode, .thread = task.number(), .stack = {}};
  capture_(place, taking.stack);
  for (int i = 0; i < task.depth(); ++i) {
    if (task[i].mode == AcquireMode::kExclusive)
      taking.exclusively_held.push_back(task[i].class_id);
  }
  return taking;
}

bool Checker::Validate(Task& task, ClassId class_id, AcquireMode mode, std::uintptr_t place,
                       std::uint64_t chain) {
  std::unique_lock lock(mutex_);
  if (!Begin(task)) return false;
  if (!chains_.insert(chain).second) {
    task.Remember(chain);
    return true;
  }
  const Taking* taking = nullptr;
  for (int i = task.depth(); i-- > 0;) {
    const HeldLock& held = task[i];
    const EdgeKind kind = {
        .shared_holder = held.mode != AcquireMode::kExclusive,
        .recursive_taker = mode == AcquireMode::kSharedRecursive,
    };
    if (graph_.Has(held.class_id, class_id, kind)) continue;
    if (const auto path = graph_.FindPathToClose(class_id, held.class_id, kind)) {
      const Writer writer(classes_, task, capture_, place);
      Report report = writer.Circular(class_id, mode, held, *path);
      Publish(std::move(lock), std::move(report));
      return false;
    }
    if (taking == nullptr) taking = &graph_.Keep(Describe(task, mode, place));
    graph_.Add(held.class_id, class_id, kind, {taking, held.mode});
  }
  task.Remember(chain);
  return true;
}

void Checker::Downgrade(Task& task, const Map& map, std::uintptr_t place) {
  if (!Begin(task)) return;
  const int held = task.Find(&map);
  if (held >= 0 && task[held].mode == AcquireMode::kExclusive) [[likely]]
    return task.SetMode(held, AcquireMode::kShared);
  const ClassId class_id = ClassOf(task, map, 0);
  std::unique_lock lock(mutex_);
  const Writer writer(classes_, task, capture_, place);
  Report report = writer.Downgrade(class_id, held >= 0);
  Publish(std::move(lock), std::move(report));
}

// ---- dropping them

void Checker::Release(Task& task, const Map& map, std::uintptr_t place) {
  if (!Begin(task)) return;
  const int held = task.Find(&map);
  if (held >= 0) [[likely]]
    return task.Remove(held);
  const ClassId class_id = ClassOf(task, map, 0);
  std::unique_lock lock(mutex_);
  const auto holder = std::find_if(tasks_.begin(), tasks_.end(), [&](const Task* other) {
    return other != &task && other->generation() == task.generation() &&
           other->IsHeldWithin(&map, sizeof(map));
  });
  const Writer writer(classes_, task, capture_, place);
  Report report = writer.Unlock(class_id, holder == tasks_.end() ? nullptr : *holder);
  Publish(std::move(lock), std::move(report));
}

// ---- what is held

Held Checker::IsHeld(Task& task, const Map& map) {
  if (!Begin(task)) return Held::kUnknown;
  return task.Find(&map) >= 0 ? Held::kYes : Held::kNo;
}

Held Checker::IsHeld(Task& task, const Map& map, AcquireMode mode) {
  if (!Begin(task)) return Held::kUnknown;
  const bool exclusive = mode == AcquireMode::kExclusive;
  for (int i = task.depth(); i-- > 0;) {
    if (task[i].instance.load(std::memory_order_relaxed) == &map &&
        (task[i].mode == AcquireMode::kExclusive) == exclusive)
      return Held::kYes;
  }
  return Held::kNo;
}

int Checker::CountHeld(Task& task, const Map& map) {
  if (!Begin(task)) return 0;
  int count = 0;
  for (int i = 0; i < task.depth(); ++i)
    count += task[i].instance.load(std::memory_order_relaxed) == &map;
  return count;
}

void Checker::CheckFreed(Task& task, const void* begin, std::size_t size, std::uintptr_t place) {
  if (!Begin(task)) return;
  std::unique_lock lock(mutex_);
  const auto holder = std::find_if(tasks_.begin(), tasks_.end(), [&](const Task* other) {
    return other->generation() == task.generation() && other->IsHeldWithin(begin, size);
  });
  if (holder == tasks_.end()) return;
  const Writer writer(classes_, task, capture_, place);
  Report report = writer.Freed(**holder, begin, size);
  Publish(std::move(lock), std::move(report));
}

void Checker::CheckNothingHeld(Task& task, std::uintptr_t place) {
  if (!Begin(task) || task.depth() == 0) return;
  std::unique_lock lock(mutex_);
  const Writer writer(classes_, task, capture_, place);
  Report report = writer.HeldAtExit();
  Publish(std::move(lock), std::move(report));
}

// ---- RCU

void Checker::CheckRcu(Task& task, const Map& rcu, bool otherwise, const char* what,
                       std::uintptr_t place) {
  if (otherwise || IsHeld(task, rcu) != Held::kNo) return;
  std::unique_lock lock(mutex_);
  const Writer writer(classes_, task, capture_, place);
  Report report = writer.Rcu(std::string(what) + " outside of an RCU read-side section");
  Publish(std::move(lock), std::move(report));
}

void Checker::WaitForReaders(Task& task, const Map& rcu, std::uintptr_t place) {
  if (IsHeld(task, rcu) == Held::kYes) {
    std::unique_lock lock(mutex_);
    const Writer writer(classes_, task, capture_, place);
    Report report = writer.Rcu("waits for the end of the RCU read-side section that it is in");
    return Publish(std::move(lock), std::move(report));
  }
  Acquire(task, rcu, {.mode = AcquireMode::kExclusive}, place);
  if (task.Find(&rcu) >= 0) Release(task, rcu, place);
}

}  // namespace jacquard::lock::lockdep
