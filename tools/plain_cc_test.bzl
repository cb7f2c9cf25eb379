"""plain_cc_test: a cc_test of code without hooks, whose libraries are the ones that the simulation is built of.

Bazel 4.2.3 tells configurations apart by the transitions that led there, too: what a test depends on, and the same library
where prelinked_cc_library has come back to it from the simulation, would be compiled twice. So a test goes there and back
as well.
"""

load("@rules_cc//cc:cc_test.bzl", "cc_test")
load("@rules_cc//cc/common:cc_common.bzl", "cc_common")
load("@rules_cc//cc/common:cc_info.bzl", "CcInfo")
load(":mode.bzl", "to_plain_transition", "to_sim_transition")

def _there_and_back_impl(ctx):
    runfiles = ctx.runfiles()
    for dep in ctx.attr.deps:
        runfiles = runfiles.merge(dep[DefaultInfo].default_runfiles)
    return [
        DefaultInfo(runfiles = runfiles),
        cc_common.merge_cc_infos(cc_infos = [dep[CcInfo] for dep in ctx.attr.deps]),
    ]

_there_and_back = rule(
    implementation = _there_and_back_impl,
    cfg = to_sim_transition,
    attrs = {
        "deps": attr.label_list(cfg = to_plain_transition, providers = [CcInfo]),
        # For the transitions.
        "fuzz": attr.bool(),
        "code_coverage": attr.bool(),
        "has_coverage": attr.bool(),
        "_allowlist_function_transition": attr.label(
            default = "@bazel_tools//tools/allowlists/function_transition_allowlist",
        ),
    },
)

def plain_cc_test(name, deps, target_compatible_with = [], **kwargs):
    """A cc_test of code without hooks.

    Args:
      name: name of the test.
      deps: as of cc_test.
      target_compatible_with: as of cc_test.
      **kwargs: as of cc_test.
    """
    _there_and_back(
        name = name + "_deps_",
        testonly = True,
        tags = ["manual"],
        target_compatible_with = target_compatible_with,
        deps = deps,
    )
    cc_test(
        name = name,
        target_compatible_with = target_compatible_with,
        deps = [name + "_deps_"],
        **kwargs
    )
