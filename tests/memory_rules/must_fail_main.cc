// Runs the one test that --gtest_filter names, which must fail: a rule that it needs is disabled.
#include <gtest/gtest.h>

#include <cstdio>

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  (void)RUN_ALL_TESTS();
  const testing::UnitTest& tests = *testing::UnitTest::GetInstance();
  std::printf("%d of %d tests failed, as they must\n", tests.failed_test_count(),
              tests.test_to_run_count());
  return tests.test_to_run_count() == 1 && tests.failed_test_count() == 1 ? 0 : 1;
}
