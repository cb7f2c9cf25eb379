"""The external repositories of WORKSPACE mode: shims in the tree and folders of Debian packages."""

_SHIMS = {
    # name: folder. They re-export native rules, so that BUILD files load the same names as with the real modules.
    "rules_cc": "third_party/shims/rules_cc",
    "rules_shell": "third_party/shims/rules_shell",
    "remote_coverage_tools": "third_party/shims/remote_coverage_tools",
}

_DEBIAN = {
    "platforms": "/usr/share/bazel/tools/platforms",  # bazel-platforms
    "bazel_skylib": "/usr/share/bazel/tools/skylib",  # bazel-skylib
    "rules_java": "/usr/share/bazel/rules/java",  # bazel-rules-java
    "rules_proto": "/usr/share/bazel/rules/proto",  # bazel-rules-proto
    "rules_python": "/usr/share/bazel/rules/python",  # bazel-bootstrap
}

def jacquard_repositories():
    for name, path in _SHIMS.items() + _DEBIAN.items():
        native.local_repository(name = name, path = path)
    native.new_local_repository(
        name = "googletest",  # googletest
        path = "/usr/src/googletest",
        build_file = "//third_party:googletest.BUILD",
    )
