// Without a validator its calls are compiled to nothing: byte by byte the code is the same.
#include "tests/lock/lockdep/compiled_out.h"

#include <string_view>

#include "gtest/gtest.h"

// The linker's names for the sections' ends.
extern "C" const char __start_plain_code[], __stop_plain_code[];
extern "C" const char __start_hooked_code[], __stop_hooked_code[];
extern "C" const char __start_checked_code[], __stop_checked_code[];

namespace jacquard::lock::lockdep {
namespace {

std::string_view Between(const char* begin, const char* end) {
  return {begin, static_cast<std::size_t>(end - begin)};
}

TEST(CompiledOut, IsTheSameCode) {
  // They are there, and work.
  SpinLock plain;
  Checked<SpinLock, AcquireMode::kShared, NoValidator> hooked("spin");
  Checked<SpinLock> checked("spin");
  int count = 0;
  PlainSections(plain, count);
  HookedSections(hooked, count);
  CheckedSections(checked, count);
  EXPECT_EQ(count, 0);

  const std::string_view plain_code = Between(__start_plain_code, __stop_plain_code);
  EXPECT_GT(plain_code.size(), 20u);
  EXPECT_TRUE(plain_code == Between(__start_hooked_code, __stop_hooked_code));
  // And would not be, were there anything left.
  EXPECT_FALSE(plain_code == Between(__start_checked_code, __stop_checked_code));
}

static_assert(sizeof(Checked<SpinLock, AcquireMode::kShared, NoValidator>) == sizeof(SpinLock));

}  // namespace
}  // namespace jacquard::lock::lockdep
