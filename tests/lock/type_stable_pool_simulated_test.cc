// The pool in the simulation: a reader's pointer leads to an object of the type, whatever became of
// it.
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "jacquard/jacquard.h"
#include "lock/rcu.h"
#include "lock/type_stable_pool.h"

namespace jacquard::lock {
namespace {

struct Object {
  std::atomic<int> owner{0};
  int value = 0;
};

using Pool = TypeStablePool<Object, 2>;

TEST(TypeStablePoolSimulated, MemoryOutlivesTheReader) {
  ExpectNoBug(
      [] {
        Pool pool;
        std::atomic<Object*> shared{pool.Allocate()};
        shared.load()->owner = 1;
        std::thread reader([&] {
          const RcuReadGuard guard;
          Object* const object = shared.load(std::memory_order_acquire);
          if (object == nullptr) return;
          // Still of the type, whoever has it now, and even while the pool gives memory back.
          const int first = object->owner.load(std::memory_order_relaxed);
          const int second = object->owner.load(std::memory_order_relaxed);
          EXPECT_TRUE(first == 1 || first == 2);
          EXPECT_GE(second, first);
        });
        Object* const old = shared.exchange(nullptr, std::memory_order_acq_rel);
        pool.Free(old);
        Object* const again = pool.Allocate();
        EXPECT_EQ(again, old);
        again->owner.store(2, std::memory_order_relaxed);
        pool.Free(again);
        pool.ReleaseUnused();
        reader.join();
      },
      {.executions = 20000});
}

TEST(TypeStablePoolSimulated, FreeHappensBeforeAllocate) {
  ExpectNoBug(
      [] {
        Pool pool;
        const auto use = [&](int i) {
          Object* const object = pool.Allocate();
          object->value = i;
          pool.Free(object);
        };
        std::thread other([&] { use(1); });
        use(2);
        other.join();
      },
      {.executions = 20000});
}

}  // namespace
}  // namespace jacquard::lock
