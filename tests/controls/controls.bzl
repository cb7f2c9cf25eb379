"""control: a change of the lock that does no harm, and of which nobody may report anything. The opposite of a known bug.

A folder NAME holds

    control.patch   against lock/, as `git diff` writes it
    control.md      what is changed, and why it must stay without a report

and `control` makes NAME_fuzz_test_bin and _explore_bin, fuzz target and explorer on the patched lock, and NAME_test: some ten
thousand executions, of random scenarios and of those in the corpus, end without a report. The figure `controls` executes
a good many more, and the fuzz targets on the lock as it is.
"""

load("@rules_shell//shell:sh_test.bzl", "sh_test")
load("//tests/known_bugs:known_bugs.bzl", "patched_fuzz_test")
load("//tools:compatibility.bzl", "NOT_NATIVE")

def control(name, scenario):
    """Declares the targets of one control.

    Args:
      name: of the folder.
      scenario: whose fuzz target executes it; one of SCENARIOS of known_bugs.bzl.
    """
    patched_fuzz_test(
        name = name,
        patch = name + "/control.patch",
        scenario = scenario,
    )
    data = [name + "_fuzz_test_explore_bin", name + "/control.md", "//fuzzers:%s_fuzz_test_corpus" % scenario]
    sh_test(
        name = name + "_test",
        size = "small",
        srcs = ["control_test.sh"],
        args = ["$(location %s)" % d for d in data],
        data = data,
        target_compatible_with = NOT_NATIVE,
    )

def controls(names):
    """Declares controls, and what the figures need: their explorers, and those on the lock as it is.

    Args:
      names: by scenario.
    """
    for scenario, of_scenario in names.items():
        for name in of_scenario:
            control(name = name, scenario = scenario)
    native.filegroup(
        name = "explorers",
        testonly = True,
        srcs = [
            name + suffix
            for of_scenario in names.values()
            for name in of_scenario
            for suffix in ["/control.md", "_fuzz_test_explore_bin"]
        ] + [
            "//fuzzers:%s_fuzz_test_explore_bin" % target
            for target in ["address_space", "lockdep", "rcu", "rcuwait", "rw_semaphore", "vma_assertions", "vma_lock"]
        ],
        tags = ["manual"],
        visibility = ["//tools/figures:__pkg__"],
    )
