// Simulated memory: what the runtime calls for each access of the code under test.
//
// The same interface as memory::Model, which says what each function does, over four forms of it: a
// narrow one with eight threads and 16-bit clocks, a medium one with sixteen that takes over,
// within an execution, when there are more threads or a count grows too large, and two for more
// threads than that.
//
// Not thread-safe: one execution at a time.
#ifndef JACQUARD_SIM_MEMORY_MEMORY_H_
#define JACQUARD_SIM_MEMORY_MEMORY_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

#include "sim/memory/model.h"
#include "sim/repeated_accesses.h"

namespace jacquard::sim {

class Memory {
 public:
  using Options = memory::ModelOptions;
  template <class T>
  using ReadResult = memory::ReadResult<T>;
  template <class T>
  using UpdateResult = memory::UpdateResult<T>;

  static constexpr int kMaxThreads = memory::WidestClock::kLanes;

  Memory();
  ~Memory();
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;

  // Forgets everything. There is one thread, with id 0. `wide`: not the narrow form, from the
  // start.
  void BeginExecution(const Options& options, bool wide = false);

  void CreateThread(int parent, int child) {
    if (child >= Narrow::kMaxThreads) narrow_->RequestWider();
    if (child >= Medium::kMaxThreads) ToMedium().RequestWider();
    if (child >= Wide::kMaxThreads) ToWide().RequestWider();
    OnEvent([=](auto& model) { model.CreateThread(parent, child); });
  }
  bool Knows(int thread, int ended) {
    return On([=](auto& model) { return model.Knows(thread, ended); });
  }
  void CreateThreadAgain(int parent, int child) {
    OnEvent([=](auto& model) { model.CreateThreadAgain(parent, child); });
  }
  void JoinThread(int parent, int child) {
    OnEvent([&](auto& model) { model.JoinThread(parent, child); });
  }

  // `pick` is taken by value: one that keeps something is passed as a std::ref.
  template <class T, class Pick>
  ReadResult<T> Load(int thread, const T* address, MemoryOrder order, Pick pick) {
    return On([=](auto& model) mutable { return model.Load(thread, address, order, pick); });
  }
  template <class T, class Pick>
  bool StoreValue(int thread, const T* address, T value, MemoryOrder order, int32_t event,
                  Pick pick) {
    return On([=](auto& model) mutable {
      return model.StoreValue(thread, address, value, order, event, pick);
    });
  }
  template <class T, class Update, class Pick>
  UpdateResult<T> ReadModifyWrite(int thread, const T* address, Update update, MemoryOrder order,
                                  int32_t event, Pick pick) {
    return On([=](auto& model) mutable {
      return model.ReadModifyWrite(thread, address, update, order, event, pick);
    });
  }
  template <class T, class Pick>
  UpdateResult<T> CompareExchange(int thread, const T* address, T expected, T desired, bool weak,
                                  MemoryOrder order, MemoryOrder failure, int32_t event,
                                  Pick pick) {
    return On([=](auto& model) mutable {
      return model.CompareExchange(thread, address, expected, desired, weak, order, failure, event,
                                   pick);
    });
  }
  void Fence(int thread, MemoryOrder order) {
    OnEvent([=](auto& model) { model.Fence(thread, order); });
  }
  void StopChoosing() {
    OnEvent([](auto& model) { model.StopChoosing(); });
  }
  void FenceAll(int thread) {
    OnEvent([=](auto& model) { model.FenceAll(thread); });
  }
  void BeginEpoch(int thread) {
    OnEvent([=](auto& model) { model.BeginEpoch(thread); });
  }

  void Release(int thread, const void* object) {
    OnEvent([=](auto& model) { model.Release(thread, object); });
  }
  void Acquire(int thread, const void* object) {
    OnEvent([=](auto& model) { model.Acquire(thread, object); });
  }
  void AcquireAll(int thread) {
    OnEvent([=](auto& model) { model.AcquireAll(thread); });
  }
  void ReleaseUnseen(int thread) {
    OnEvent([=](auto& model) { model.ReleaseUnseen(thread); });
  }

  [[gnu::always_inline]] bool PlainRead(int thread, const void* address, size_t size) {
    return On([=](auto& model) __attribute__((always_inline)) {
      return model.PlainRead(thread, address, size);
    });
  }
  [[gnu::always_inline]] bool PlainWrite(int thread, const void* address, size_t size) {
    return On([=](auto& model) __attribute__((always_inline)) {
      return model.PlainWrite(thread, address, size);
    });
  }
  template <memory::AccessKind kKind>
  [[gnu::always_inline]] bool PlainAtOnce(int thread, const void* address, uint32_t size) {
    return !narrow_->IsOverflowing() && narrow_->PlainAtOnce<kKind>(thread, address, size);
  }
  bool UseLock(int thread, const void* lock, uint32_t size) {
    return On([=](auto& model) { return model.UseLock(thread, lock, size); });
  }
  bool Free(int thread, const void* address, size_t size) {
    return On([=](auto& model) { return model.Free(thread, address, size); });
  }
  template <class T>
  void LearnNewest(int thread, const T* address) {
    OnEvent([=](auto& model) { model.LearnNewest(thread, address); });
  }
  void SeeNewestNext(int thread, const void* address, size_t size) {
    OnEvent([=](auto& model) { model.SeeNewestNext(thread, address, size); });
  }
  bool IsAlone() {
    return On([](auto& model) { return model.IsAlone(); });
  }
  void Forget(const void* address, size_t size) {
    On([=](auto& model) { model.Forget(address, size); });
  }

  bool has_race() {
    if (narrow_->IsQuiet()) [[likely]]
      return false;
    return On([](auto& model) { return model.has_race(); });
  }
  // It is none: the next one counts.
  void ForgetRace() {
    On([](auto& model) { model.ForgetRace(); });
  }
  const memory::Race& race() {
    return On([](auto& model) -> const memory::Race& { return model.race(); });
  }
  bool HasLostDetail() {
    return On([](auto& model) { return model.HasLostDetail(); });
  }
  // Whether one of the wider forms is in use.
  bool is_wide() const { return is_medium_; }

  template <class T>
  void ForEachStore(const T* address, auto visit) {
    On([&](auto& model) { model.ForEachStore(address, visit); });
  }

 private:
  using Narrow = memory::Model<memory::NarrowClock>;
  using Medium = memory::Model<memory::MediumClock>;
  using Wide = memory::Model<memory::WideClock>;
  using Widest = memory::Model<memory::WidestClock>;

  // Calls `operation` on the form in use. By value: whatever it captures can then stay in registers
  // on the way to the narrow form.
  template <class Operation>
  [[gnu::always_inline]] auto On(Operation operation)
      -> decltype(operation(std::declval<Narrow&>())) {
    if (narrow_->IsOverflowing()) [[unlikely]]
      return OnWide(operation);
    return operation(*narrow_);
  }
  // The same for what is neither an access nor always a step: plain accesses that come after it are
  // none that are repeated.
  template <class Operation>
  [[gnu::always_inline]] auto OnEvent(Operation operation)
      -> decltype(operation(std::declval<Narrow&>())) {
    repeated_accesses.BeginStretch();
    return On(operation);
  }
  template <class Operation>
  [[gnu::noinline, gnu::cold]] auto OnWide(Operation operation)
      -> decltype(operation(std::declval<Medium&>())) {
    if (is_widest_) return operation(*widest_);
    if (is_wide_ && !wide_->IsOverflowing()) return operation(*wide_);
    Medium& medium = ToMedium();
    if (!medium.IsOverflowing()) return operation(medium);
    Wide& wide = ToWide();
    if (!wide.IsOverflowing()) return operation(wide);
    return operation(ToWidest());
  }

  // The next form, once the one before it is overflowing.
  Medium& ToMedium();
  Wide& ToWide();
  Widest& ToWidest();

  bool is_medium_ = false;
  bool is_wide_ = false;
  bool is_widest_ = false;
  std::unique_ptr<Narrow> narrow_;
  std::unique_ptr<Medium> medium_;  // made when first needed, as the next
  std::unique_ptr<Wide> wide_;
  std::unique_ptr<Widest> widest_;
};

}  // namespace jacquard::sim

#endif  // JACQUARD_SIM_MEMORY_MEMORY_H_
