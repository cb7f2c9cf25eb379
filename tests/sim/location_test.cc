#include "sim/location.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <set>

namespace jacquard::sim {
namespace {

const void* Address(uintptr_t address) { return reinterpret_cast<const void*>(address); }

TEST(LocationTable, RemembersWithinAnExecution) {
  const auto table = std::make_unique<LocationTable>();
  table->BeginExecution();
  for (uintptr_t i = 1; i <= 1000; ++i) table->Find(Address(i * 8)).newest.step = i;
  for (uintptr_t i = 1; i <= 1000; ++i) EXPECT_EQ(table->Find(Address(i * 8)).newest.step, i);
}

TEST(LocationTable, ForgetsBetweenExecutions) {
  const auto table = std::make_unique<LocationTable>();
  // More often than there are stamps: they come round.
  for (uint64_t execution = 1; execution <= 200'000; ++execution) {
    table->BeginExecution();
    Location& location = table->Find(Address(0x1200'0000'0010));
    ASSERT_EQ(location.newest.step, 0u) << "execution " << execution;
    ASSERT_EQ(location.newest.thread, -1);
    ASSERT_EQ(location.newest.event, -1);
    location.newest = {execution, 1, 2};
    ASSERT_EQ(table->Find(Address(0x1200'0000'0010)).newest.step, execution);
  }
}

TEST(LocationTable, DoesNotMeetTheSameStampAgain) {
  const auto table = std::make_unique<LocationTable>();
  table->BeginExecution();
  for (uintptr_t i = 1; i <= 16'000; ++i) table->Find(Address(i * 4)).newest.step = 7;
  for (int i = 0; i < 65'535; ++i) {
    table->BeginExecution();
    if (i % 8191 == 0 || i > 65'500) {
      ASSERT_EQ(table->Find(Address(4)).newest.step, 0u) << "after " << i + 1 << " executions";
    }
  }
  for (uintptr_t i = 1; i <= 16'000; ++i) ASSERT_EQ(table->Find(Address(i * 4)).newest.step, 0u);
}

TEST(LocationTable, TellsCollidingAddressesApart) {
  const auto table = std::make_unique<LocationTable>();
  table->BeginExecution();
  // Bits from 28 on do not take part in the choice of the cell: all of these want the last one.
  auto address = [](uintptr_t i) { return Address(i << 28 | 0xFFFC); };
  std::set<const Location*> cells;
  for (uintptr_t i = 0; i < 500; ++i) {
    Location& location = table->Find(address(i));
    EXPECT_TRUE(cells.insert(&location).second);
    location.newest.step = i + 1;
  }
  for (uintptr_t i = 0; i < 500; ++i) EXPECT_EQ(table->Find(address(i)).newest.step, i + 1);
}

TEST(LocationTable, NeighboursAndAllBitsOfAnAddressCount) {
  const auto table = std::make_unique<LocationTable>();
  table->BeginExecution();
  std::set<const Location*> cells;
  for (uintptr_t i = 0; i < 16; ++i) cells.insert(&table->Find(Address(0x1200'0000'0000 + i)));
  for (int bit = 4; bit < 47; ++bit)
    cells.insert(&table->Find(Address(0x1200'0000'0000 ^ uintptr_t{1} << bit)));
  EXPECT_EQ(cells.size(), 16u + 43u);
}

TEST(LocationTableDeathTest, FullIsAMessage) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        static LocationTable table;
        table.BeginExecution();
        for (uintptr_t i = 1; i <= 16'384; ++i) table.Find(Address(i * 4));
      },
      testing::ExitedWithCode(2), "more than 16,383 atomic objects in one execution");
}

}  // namespace
}  // namespace jacquard::sim
