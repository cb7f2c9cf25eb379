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
load(":mode.bzl", "sim_binary", "sim_test")

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

def jacquard_cc_binary(
        name,
        srcs,
        deps = [],
        copts = [],
        linkopts = [],
        data = [],
        main_is_body = True,
        tags = [],
        testonly = False,
        visibility = None,
        **kwargs):
    """Builds `srcs` and `deps` with the hooks: a program whose `main` runs again and again, under every schedule.

    NAME [OPTION...] [-- ARGUMENT...], or with the options in JACQUARD_OPTIONS, NAME ARGUMENT... `NAME help` lists them.

    Args:
      name: name of the program.
      srcs: as of cc_binary.
      deps: as of cc_binary; Jacquard is added.
      copts: as of cc_binary.
      linkopts: as of cc_binary.
      data: as of cc_binary.
      main_is_body: False for a program that calls Jacquard by itself: its main runs once, and is not simulated.
      tags: as of cc_binary.
      testonly: as of cc_binary.
      visibility: as of cc_binary.
      **kwargs: passed to the program's rule.
    """
    cc_binary(
        name = name + "_raw_",
        testonly = testonly,
        srcs = srcs,
        copts = copts,
        data = data,
        linkopts = linkopts,
        tags = ["manual"],
        target_compatible_with = NOT_NATIVE,
        deps = deps + [str(Label("//jacquard"))] +
               ([str(Label("//jacquard:main_with_options"))] if main_is_body else []),
    )
    sim_binary(
        name = name,
        testonly = testonly,
        binary = name + "_raw_",
        tags = tags,
        target_compatible_with = NOT_NATIVE,
        visibility = visibility,
        **kwargs
    )
