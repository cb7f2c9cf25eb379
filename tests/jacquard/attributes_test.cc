// The attributes of jacquard_cc_test are those of cc_test.
#include <gtest/gtest.h>

#include <cstdlib>

#include "included.h"

TEST(Attributes, ReachTheCode) { EXPECT_EQ(kFromAttributes, 3); }

TEST(Attributes, SetTheEnvironment) { EXPECT_STREQ(std::getenv("FROM_ENV"), "3"); }
