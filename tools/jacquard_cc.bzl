"""jacquard_cc_test and jacquard_cc_binary: tests and programs whose own code, and all that it depends on, is simulated.

    load("@jacquard//tools:jacquard_cc.bzl", "jacquard_cc_test")

    jacquard_cc_test(
        name = "spin_lock_test",
        srcs = ["spin_lock_test.cc"],  # GoogleTest, and #include "jacquard/jacquard.h"
        deps = [":spin_lock"],
    )

An ordinary cc_test needs nothing of this; libraries are shared by both.
"""

load("@rules_cc//cc:cc_binary.bzl", "cc_binary")
load(":compatibility.bzl", "NOT_NATIVE")
load(":mode.bzl", "sim_test")

def jacquard_cc_test(
        name,
        srcs,
        deps = [],
        copts = [],
        linkopts = [],
        data = [],
        args = [],
        gtest_first = True,
        tags = [],
        **kwargs):
    """Builds `srcs` and `deps` with the hooks and runs them as a GoogleTest.

    Args:
      name: name of the test.
      srcs: as of cc_test.
      deps: as of cc_test; GoogleTest, its main and Jacquard are added.
      copts: as of cc_test.
      linkopts: as of cc_test.
      data: as of cc_test.
      args: as of cc_test.
      gtest_first: whether GoogleTest is linked before or after deps: must not matter, and a test shows it.
      tags: as of cc_test.
      **kwargs: passed to the test rule.
    """
    gtest = [str(Label("//third_party:gtest_prelinked"))]
    cc_binary(
        name = name + "_raw_",
        testonly = True,
        srcs = srcs,
        copts = copts,
        data = data,
        linkopts = linkopts,
        tags = ["manual"],
        target_compatible_with = NOT_NATIVE,
        deps = (gtest if gtest_first else []) + deps + [str(Label("//jacquard"))] + ([] if gtest_first else gtest),
    )
    sim_test(
        name = name,
        binary = name + "_raw_",
        args = args,
        tags = tags,
        target_compatible_with = NOT_NATIVE,
        **kwargs
    )
