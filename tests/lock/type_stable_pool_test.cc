#include "lock/type_stable_pool.h"

#include <atomic>
#include <set>
#include <thread>
#include <vector>

#include "gtest/gtest.h"

namespace jacquard::lock {
namespace {

struct Object {
  Object() { ++alive; }
  ~Object() { --alive; }
  int value = 0;
  inline static std::atomic<int> alive{0};
};

using Pool = TypeStablePool<Object, 4>;

TEST(TypeStablePool, HandsOutWhatWasFreedLast) {
  Pool pool;
  Object* const a = pool.Allocate();
  Object* const b = pool.Allocate();
  EXPECT_NE(a, b);
  pool.Free(a);
  pool.Free(b);
  EXPECT_EQ(pool.Allocate(), b);
  EXPECT_EQ(pool.Allocate(), a);
  pool.Free(a);
  pool.Free(b);
}

TEST(TypeStablePool, ObjectsLiveThroughBeingFree) {
  {
    Pool pool;
    Object* const object = pool.Allocate();
    EXPECT_EQ(Object::alive, 4);
    object->value = 7;
    pool.Free(object);
    EXPECT_EQ(Object::alive, 4);
    EXPECT_EQ(object->value, 7);
    EXPECT_EQ(pool.Allocate()->value, 7);
    pool.Free(object);
  }
  EXPECT_EQ(Object::alive, 0);
}

TEST(TypeStablePool, GrowsByPagesAndGivesBackUnusedOnes) {
  Pool pool;
  std::vector<Object*> objects;
  for (int i = 0; i < 10; ++i) objects.push_back(pool.Allocate());
  EXPECT_EQ(std::set<Object*>(objects.begin(), objects.end()).size(), 10u);
  EXPECT_EQ(pool.capacity(), 12u);
  for (int i = 0; i < 9; ++i) pool.Free(objects[i]);
  pool.ReleaseUnused();
  EXPECT_EQ(pool.capacity(), 4u);
  EXPECT_EQ(Object::alive, 4);
  // What is left works on.
  for (int i = 0; i < 9; ++i) objects[i] = pool.Allocate();
  EXPECT_EQ(std::set<Object*>(objects.begin(), objects.end()).size(), 10u);
  for (Object* const object : objects) pool.Free(object);
}

TEST(TypeStablePool, IsSafeForThreads) {
  Pool pool;
  std::vector<std::thread> threads;
  for (int t = 1; t <= 4; ++t) {
    threads.emplace_back([&pool, t] {
      for (int i = 0; i < 2000; ++i) {
        Object* const mine = pool.Allocate();
        mine->value = t;
        Object* const other = pool.Allocate();
        other->value = -t;
        EXPECT_EQ(mine->value, t);
        pool.Free(mine);
        EXPECT_EQ(other->value, -t);
        pool.Free(other);
        if (i % 256 == 0) pool.ReleaseUnused();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST(TypeStablePoolDeathTest, Misuse) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(
      {
        Pool pool;
        Object* const object = pool.Allocate();
        pool.Free(object);
        pool.Free(object);
      },
      "freed twice");
  EXPECT_DEATH(
      {
        Pool pool;
        static_cast<void>(pool.Allocate());
      },
      "objects in use");
}

}  // namespace
}  // namespace jacquard::lock
