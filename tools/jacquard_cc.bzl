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

# What says how the code is compiled and linked, and so belongs to the program inside.
_OF_THE_CODE = [
    "additional_linker_inputs",
    "copts",
    "data",
    "defines",
    "features",
    "includes",
    "linkopts",
    "linkstatic",
    "local_defines",
]

def _split(attributes):
    """Those of the code, and the others."""
    code = {name: value for name, value in attributes.items() if name in _OF_THE_CODE}
    return code, {name: value for name, value in attributes.items() if name not in _OF_THE_CODE}

def jacquard_cc_test(
        name,
        srcs,
        deps = [],
        gtest_first = True,
        **kwargs):
    """Builds `srcs` and `deps` with the hooks and runs them as a GoogleTest.

    Args:
      name: name of the test.
      srcs: as of cc_test.
      deps: as of cc_test; GoogleTest, its main and Jacquard are added.
      gtest_first: whether GoogleTest is linked before or after deps: must not matter, and a test shows it.
      **kwargs: as of cc_test: what says how code is built (_OF_THE_CODE) goes to the program inside, the rest to the test.
    """
    code, test = _split(kwargs)
    gtest = [str(Label("//third_party:gtest_prelinked"))]
    cc_binary(
        name = name + "_raw_",
        testonly = True,
        srcs = srcs,
        tags = ["manual"],
        target_compatible_with = NOT_NATIVE,
        deps = (gtest if gtest_first else []) + deps + [str(Label("//jacquard"))] + ([] if gtest_first else gtest),
        **code
    )
    sim_test(
        name = name,
        binary = name + "_raw_",
        target_compatible_with = NOT_NATIVE,
        **test
    )

def jacquard_cc_binary(
        name,
        srcs,
        deps = [],
        main_is_body = True,
        testonly = False,
        **kwargs):
    """Builds `srcs` and `deps` with the hooks: a program whose `main` runs again and again, under every schedule.

    NAME [OPTION...] [-- ARGUMENT...], or with the options in JACQUARD_OPTIONS, NAME ARGUMENT... `NAME help` lists them.

    Args:
      name: name of the program.
      srcs: as of cc_binary.
      deps: as of cc_binary; Jacquard is added.
      main_is_body: False for a program that calls Jacquard by itself: its main runs once, and is not simulated.
      testonly: as of cc_binary.
      **kwargs: as of cc_binary: what says how code is built (_OF_THE_CODE) goes to the program inside, the rest to NAME.
    """
    code, program = _split(kwargs)
    cc_binary(
        name = name + "_raw_",
        testonly = testonly,
        srcs = srcs,
        tags = ["manual"],
        target_compatible_with = NOT_NATIVE,
        deps = deps + [str(Label("//jacquard"))] +
               ([str(Label("//jacquard:main_with_options"))] if main_is_body else []),
        **code
    )
    sim_binary(
        name = name,
        testonly = testonly,
        binary = name + "_raw_",
        target_compatible_with = NOT_NATIVE,
        **program
    )
