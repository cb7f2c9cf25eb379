"""sim_cc_test: a GoogleTest whose own code, and all that it depends on, runs in the simulated runtime."""

load("@rules_cc//cc:cc_binary.bzl", "cc_binary")
load(":compatibility.bzl", "NOT_NATIVE")
load(":mode.bzl", "sim_test")

def sim_cc_test(name, srcs, deps = [], copts = [], linkopts = [], data = [], args = [], gtest_first = True, **kwargs):
    """Builds `srcs` and `deps` with the hooks and runs them as a test.

    Args:
      name: name of the test.
      srcs: as of cc_test.
      deps: as of cc_test; GoogleTest, its main and the runtime are added.
      copts: as of cc_test.
      linkopts: as of cc_test.
      data: as of cc_test.
      args: as of cc_test.
      gtest_first: whether GoogleTest is linked before or after deps: must not matter, and a test shows it.
      **kwargs: passed to the test rule.
    """
    gtest = ["//third_party:gtest_prelinked"]
    cc_binary(
        name = name + "_raw_",
        testonly = True,
        srcs = srcs,
        copts = copts,
        data = data,
        linkopts = linkopts,
        tags = ["manual"],
        target_compatible_with = NOT_NATIVE,
        deps = (gtest if gtest_first else []) + deps + ["//sim:runtime"] + ([] if gtest_first else gtest),
    )
    sim_test(
        name = name,
        binary = name + "_raw_",
        args = args,
        target_compatible_with = NOT_NATIVE,
        **kwargs
    )
