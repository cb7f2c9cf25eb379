"""known_bug_test: that a stored input fails on the patched lock, with the verdict it names, or passes on the lock as it is."""

load("//tools:jacquard_cc.bzl", "jacquard_cc_test")

_CLASSES = {
    "address_space": "AddressSpaceScenario",
    "rcu": "RcuScenario",
    "vma_lock": "VmaLockScenario",
}

def known_bug_test(name, scenario, bugs, patched, deps):
    """The stored inputs of `bugs`, on the lock that `deps` have.

    Args:
      name: of the test.
      scenario: on which they show.
      bugs: their names.
      patched: whether deps have the bug (one, then), so that the input must fail, or must pass.
      deps: the lock, and the scenario's headers.
    """
    jacquard_cc_test(
        name = name,
        size = "small",
        srcs = ["known_bug_test.cc"],
        copts = [
            "-DSCENARIO=jacquard::" + _CLASSES[scenario],
            "-DSCENARIO_NAME='\"%s\"'" % _CLASSES[scenario],
            "-DSCENARIO_HEADER='\"fuzzers/%s_scenario.h\"'" % scenario,
            "-DPATCHED=" + ("true" if patched else "false"),
            "-DKNOWN_BUGS='%s'" % ",".join(['"%s"' % bug for bug in bugs]),
        ],
        data = [bug + "/input.txt" for bug in bugs],
        deps = deps + ["//tests/vma_lock:explore_inputs"],
    )
