"""known_bug: a historical bug of the lock, or an invented one, put back and caught.

A folder NAME holds

    bug.patch   against lock/, or lock/lockdep/ for scenario "lockdep", as `git diff` writes it
    bug.md      what, when, who found it, the interleaving, the oracle that must catch it
    input.txt   the smallest input that shows it; its comment says which verdict:  # verdict: SIGNATURE
    found.txt   in some: an input as the fuzzer found it, which must become as small as input.txt

and `known_bug` makes NAME_fuzz_test_bin and _explore_bin, fuzz target and explorer on the patched lock, and NAME_test: the input
fails on the patched lock with that verdict, cannot be made smaller, needs at most two context switches more than the
interleaving in bug.md (or as many as bug.md admits: "Stored input: N context switches, not yet ..."), and passes on the lock as
it is.
"""

load("@rules_cc//cc:cc_library.bzl", "cc_library")
load("@rules_shell//shell:sh_test.bzl", "sh_test")
load("//lock/lockdep:simulated.bzl", "VALIDATOR_COPTS", "VALIDATOR_KEEP", "VALIDATOR_RENAME")
load("//tools:cc_fuzz_test.bzl", "cc_fuzz_test")
load("//tools:compatibility.bzl", "NOT_NATIVE")
load("//tools:patched.bzl", "patched_library")
load("//tools:prelink.bzl", "prelinked_cc_library")

# The scenarios by name, and their headers without the lock. //fuzzers:NAME_fuzz_test is the fuzz target on the lock as it is.
SCENARIOS = {
    "address_space": "//fuzzers:address_space_scenario_headers",
    "lockdep": "//fuzzers:lockdep_scenario_headers",
    "rcu": "//fuzzers:part_scenario_headers",
    "rcuwait": "//fuzzers:part_scenario_headers",
    "rw_semaphore": "//fuzzers:part_scenario_headers",
    "vma_assertions": "//fuzzers:vma_assertions_scenario_headers",
    "vma_lock": "//fuzzers:vma_lock_scenario_headers",
}

def _patched_validator(name, patch):
    """As patched_library, of lock/lockdep/ alone: in the form that is no part of what is simulated, and in the native one."""
    deps = [
        "//lock:thread_annotations",
        "//lock:validator",
        "//sim:symbolize",
    ]
    patched_library(
        name = name + ".objects",
        copts = VALIDATOR_COPTS + ["-fno-threadsafe-statics"],
        linkstatic = True,
        patch = patch,
        sources = "//lock/lockdep:simulated_sources",
        deps = deps + ["//sim:api"],
    )
    prelinked_cc_library(
        name = name + ".simulated",
        testonly = True,
        hdrs_from = [
            name + ".objects.sources",
            "//lock:thread_annotations",
            "//lock:validator",
        ],
        keep = VALIDATOR_KEEP,
        rename = VALIDATOR_RENAME,
        tags = ["manual"],
        target_compatible_with = NOT_NATIVE,
        deps = [name + ".objects"],
    )
    patched_library(
        name = name + ".native",
        copts = VALIDATOR_COPTS,
        linkstatic = True,
        patch = patch,
        sources = "//lock/lockdep:native_sources",
        deps = deps + ["//lock:check"],
    )
    cc_library(
        name = name,
        testonly = True,
        tags = ["manual"],
        deps = select({
            "//tools:simulated": [name + ".simulated"],
            "//conditions:default": [name + ".native"],
        }),
    )

def patched_fuzz_test(name, patch, scenario):
    """Declares NAME_lock, a patched copy of the lock, and NAME_fuzz_test, the fuzz target on it.

    Args:
      name: of the targets, up to their suffixes.
      patch: against lock/.
      scenario: one of SCENARIOS.
    """
    patched = _patched_validator if scenario == "lockdep" else patched_library
    patched(
        name = name + "_lock",
        patch = patch,
    )
    cc_fuzz_test(
        name = name + "_fuzz_test",
        srcs = ["//fuzzers:%s_fuzz_test.cc" % scenario],
        code_coverage = False,
        tags = ["manual"],
        visibility = ["//tools/figures:__pkg__"],
        deps = [
            name + "_lock",
            SCENARIOS[scenario],
        ],
    )

def known_bug(name, scenario):
    """Declares the targets of one known bug.

    Args:
      name: of the folder.
      scenario: whose fuzz target catches it; one of SCENARIOS.
    """
    target = "//fuzzers:%s_fuzz_test" % scenario
    patched_fuzz_test(
        name = name,
        patch = name + "/bug.patch",
        scenario = scenario,
    )
    files = [name + "/input.txt", name + "/bug.md"] + native.glob([name + "/found.txt"])
    sh_test(
        name = name + "_test",
        size = "small",
        timeout = "moderate",  # on machines that others use, too
        srcs = ["known_bug_test.sh"],
        args = ["$(location %s)" % f for f in [name + "_fuzz_test_bin", target + "_bin"] + files],
        data = [name + "_fuzz_test_bin", target + "_bin"] + files,
        target_compatible_with = NOT_NATIVE,
    )

def known_bugs(bugs):
    """Declares known bugs, and what the figures need of them.

    Args:
      bugs: names by scenario.
    """
    for scenario, names in bugs.items():
        for name in names:
            known_bug(name = name, scenario = scenario)
    native.filegroup(
        name = "campaigns",
        testonly = True,
        srcs = [
            name + suffix
            for names in bugs.values()
            for name in names
            for suffix in ["/bug.md", "/input.txt"] + [
                "_fuzz_test%s_bin" % form
                for form in ["", "_explore", "_asan", "_tsan"]
            ]
        ] + [
            "//fuzzers:%s_fuzz_test_%s" % (scenario, form)
            for scenario in bugs
            for form in ["corpus", "asan_bin", "tsan_bin"]
        ],
        tags = ["manual"],
        visibility = ["//tools/figures:__pkg__"],
    )
