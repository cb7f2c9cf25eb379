"""jacquard_deps: the external repositories that Jacquard needs, for the WORKSPACE of whoever uses it (Bazel 4 to 6).

    local_repository(name = "jacquard", path = "...")  # or http_archive, git_repository
    load("@jacquard//:deps.bzl", "jacquard_deps")
    jacquard_deps()

They are shims in this tree and folders of Debian packages (tools/debian_packages.txt): nothing is downloaded. A repository
that the WORKSPACE has declared before, under the same name, is left as it is.
"""

# They re-export native rules, so that BUILD files load the same names as with the real modules.
_SHIMS = [
    "rules_cc",
    "rules_shell",
    "remote_coverage_tools",
]

_DEBIAN = {
    # name: folder. The package.
    "platforms": "/usr/share/bazel/tools/platforms",  # bazel-platforms
    "bazel_skylib": "/usr/share/bazel/tools/skylib",  # bazel-skylib
    "rules_java": "/usr/share/bazel/rules/java",  # bazel-rules-java
    "rules_proto": "/usr/share/bazel/rules/proto",  # bazel-rules-proto
    "rules_python": "/usr/share/bazel/rules/python",  # bazel-bootstrap
}

# local_repository counts from the main workspace, which need not be Jacquard's: this finds the folder beside this file.
def _shim_repository_impl(ctx):
    shim = ctx.path(Label("//:deps.bzl")).dirname.get_child("third_party").get_child("shims").get_child(ctx.name)
    for child in shim.readdir():
        ctx.symlink(child, child.basename)

_shim_repository = repository_rule(
    implementation = _shim_repository_impl,
    local = True,
)

def jacquard_deps():
    """Declares what is not declared yet."""
    for name in _SHIMS:
        if not native.existing_rule(name):
            _shim_repository(name = name)
    for name, path in _DEBIAN.items():
        if not native.existing_rule(name):
            native.local_repository(name = name, path = path)
    if not native.existing_rule("googletest"):
        native.new_local_repository(
            name = "googletest",  # googletest
            path = "/usr/src/googletest",
            build_file = str(Label("//third_party:googletest.BUILD")),
        )
