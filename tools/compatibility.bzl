"""Which configurations a target makes sense in: values for `target_compatible_with`.

    sim_test(
        name = "fiber_test",
        target_compatible_with = NOT_NATIVE,
        ...
    )

`bazel test //...` leaves out what is incompatible, without a word; so tools/incompatible_targets.txt names every such
target and says why, and .ci/run fails where that list and what Bazel leaves out differ.
"""

_NEVER = ["@platforms//:incompatible"]

# For what exists in the simulation only: left out under --config=asan and --config=tsan, the native forms.
NOT_NATIVE = select({
    str(Label("//tools:mode_asan")): _NEVER,
    str(Label("//tools:mode_tsan")): _NEVER,
    "//conditions:default": [],
})

# For what is installed for other build systems, and for scripts: as shipped, without any sanitizer.
PLAIN_ONLY = select({
    str(Label("//tools:mode_asan")): _NEVER,
    str(Label("//tools:mode_tsan")): _NEVER,
    str(Label("//tools:ubsan")): _NEVER,
    "//conditions:default": [],
})

# For what makes sense in the native forms only.
NATIVE_ONLY = select({
    str(Label("//tools:mode_asan")): [],
    str(Label("//tools:mode_tsan")): [],
    "//conditions:default": _NEVER,
})
