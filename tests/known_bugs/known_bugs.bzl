"""known_bug: a historical bug of the lock, or an invented one, put back and caught.

A folder NAME holds

    bug.patch   against lock/, as `git diff` writes it
    bug.md      what, when, who found it, the interleaving, the oracle that must catch it
    input.txt   the smallest input that shows it; its comment says which verdict:  # verdict: SIGNATURE

and `known_bug` makes NAME_fuzz_test_bin and _explore_bin, fuzz target and explorer on the patched lock, and NAME_test: the input
fails on the patched lock with that verdict, cannot be made smaller, needs at most two context switches more than the
interleaving in bug.md, and passes on the lock as it is.
"""

load("@rules_shell//shell:sh_test.bzl", "sh_test")
load("//tools:cc_fuzz_test.bzl", "cc_fuzz_test")
load("//tools:compatibility.bzl", "NOT_NATIVE")
load("//tools:patched.bzl", "patched_library")

# What a scenario is made of: its fuzz target on the lock as it is, that one's source, and the headers without the lock.
SCENARIOS = {
    "rcu_wait": ("//fuzzers:rcuwait_fuzz_test", "//fuzzers:part_scenario_headers"),
    "rw_semaphore": ("//fuzzers:rw_semaphore_fuzz_test", "//fuzzers:part_scenario_headers"),
    "vma_lock": ("//fuzzers:vma_lock_fuzz_test", "//fuzzers:vma_lock_scenario_headers"),
}

def known_bug(name, scenario):
    """Declares the targets of one known bug.

    Args:
      name: of the folder.
      scenario: whose fuzz target catches it; one of SCENARIOS.
    """
    target, headers = SCENARIOS[scenario]
    patched_library(
        name = name + "_lock",
        patch = name + "/bug.patch",
    )
    cc_fuzz_test(
        name = name + "_fuzz_test",
        srcs = [target + ".cc"],
        code_coverage = False,
        tags = ["manual"],
        visibility = ["//tools/figures:__pkg__"],
        deps = [
            name + "_lock",
            headers,
        ],
    )
    files = [name + "/input.txt", name + "/bug.md"]
    sh_test(
        name = name + "_test",
        size = "small",
        srcs = ["known_bug_test.sh"],
        args = ["$(location %s)" % f for f in [name + "_fuzz_test_bin", target + "_bin"] + files],
        data = [name + "_fuzz_test_bin", target + "_bin"] + files,
        target_compatible_with = NOT_NATIVE,
    )
