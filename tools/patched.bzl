"""patched_library: a copy of lock/, or of other sources, with a patch applied. That is how a known bug is put back.

    patched_library(
        name = "lock_without_recheck",
        patch = "no_recheck.patch",  # as `git diff` writes it, with paths from the root of the checkout
    )

    cc_test(
        name = "no_recheck_test",
        srcs = ["no_recheck_test.cc"],  # #include "lock/vma_lock.h", as ever
        deps = [":lock_without_recheck"],
    )

One library stands for all of lock/ (`sources` says otherwise). Nothing that is linked with it may depend on //lock:... as
well: the original headers would come first on the search path, and the two would be mixed without a word.
original_lock_test (below) finds that.
"""

load("@rules_cc//cc:cc_library.bzl", "cc_library")

# ---- The copy

def _patched_sources_impl(ctx):
    folder = ctx.label.name
    copies = [ctx.actions.declare_file(folder + "/" + f.short_path) for f in ctx.files.sources]
    root = copies[0].path[:-len(ctx.files.sources[0].short_path) - 1]
    ctx.actions.run(
        executable = ctx.executable._apply_patch,
        arguments = [ctx.file.patch.path, root] + [f.path for f in ctx.files.sources],
        inputs = ctx.files.sources + [ctx.file.patch],
        outputs = copies,
        mnemonic = "Patch",
        progress_message = "Applying " + ctx.file.patch.short_path,
        use_default_shell_env = True,
    )
    headers = depset([c for c in copies if c.extension == "h"])

    # Compiled as one, which takes a third of the time: most of it goes into the headers that all of them include. Not
    # check.cc: what else is linked brings the original, and the linker must be able to leave this one out.
    together = ctx.actions.declare_file(folder + "/all_sources.cc")
    apart = [c for c in copies if c.basename == "check.cc"]
    included = [c for c in copies if c.extension != "h" and c not in apart]
    ctx.actions.write(together, "".join(["#include \"%s\"\n" % c.path[len(root) + 1:] for c in included]))
    return [
        DefaultInfo(files = depset(copies)),
        OutputGroupInfo(
            compiled = depset([together] + apart),
            headers = headers,
            included = depset(included),
        ),
        CcInfo(compilation_context = cc_common.create_compilation_context(
            headers = headers,
            quote_includes = depset([root]),
        )),
    ]

_patched_sources = rule(
    implementation = _patched_sources_impl,
    attrs = {
        "patch": attr.label(allow_single_file = [".patch"], mandatory = True),
        "sources": attr.label(allow_files = True, mandatory = True, doc = "source files, no generated ones"),
        "_apply_patch": attr.label(
            default = "//tools:apply_patch",
            allow_single_file = True,
            executable = True,
            cfg = "host",
        ),
    },
)

def patched_library(name, patch, sources = "//lock:sources", deps = [], **kwargs):
    """A cc_library to be used in place of //lock (or what `sources` are of): the same include paths, with `patch` applied.

    A patch that does not apply strictly (tools/apply_patch) fails the build of what uses the library; `//...` alone does not
    build it, so that a configuration that leaves out all its users does not either.

    Args:
      name: of the library. The copies lie in bazel-bin, in PACKAGE/NAME.sources/.
      patch: a file that `patch -p1` can read.
      sources: the files that are copied.
      deps: what the library needs besides.
      **kwargs: passed to cc_library.
    """
    tags = kwargs.pop("tags", []) + ["manual"]
    _patched_sources(
        name = name + ".sources",
        patch = patch,
        sources = sources,
        tags = ["manual"],
        visibility = ["//visibility:private"],
    )
    groups = {}
    for group in ["compiled", "headers", "included"]:
        groups[group] = "{}.{}".format(name, group)
        native.filegroup(
            name = groups[group],
            srcs = [name + ".sources"],
            output_group = group,
            tags = ["manual"],
            visibility = ["//visibility:private"],
        )
    cc_library(
        name = name,
        testonly = True,
        srcs = [groups["compiled"]],
        hdrs = [groups["headers"]],
        linkopts = ["-pthread"],
        tags = tags,
        textual_hdrs = [groups["included"]],
        deps = [name + ".sources"] + deps,
        **kwargs
    )

# ---- No mixing

_OriginalsInfo = provider(
    "Which libraries of //lock are compiled into a target.",
    fields = {"labels": "depset of their labels as strings"},
)

# prelinked_cc_library keeps what it is made of to itself; only the headers that it shows count.
_FOLLOWED = {"prelinked_cc_library": ["hdrs_from"]}
_FOLLOWED_BY_OTHERS = ["deps", "srcs", "binary", "actual", "implementation_deps", "hdrs_from"]

def _originals_aspect_impl(target, ctx):
    own = [str(target.label).lstrip("@")] if target.label.package == "lock" and CcInfo in target else []
    below = []
    for name in _FOLLOWED.get(ctx.rule.kind, _FOLLOWED_BY_OTHERS):
        dependencies = getattr(ctx.rule.attr, name, None)
        if dependencies:
            below += [
                d[_OriginalsInfo].labels
                for d in (dependencies if type(dependencies) == "list" else [dependencies])
                if _OriginalsInfo in d
            ]
    return [_OriginalsInfo(labels = depset(own, transitive = below))]

_originals_aspect = aspect(implementation = _originals_aspect_impl, attr_aspects = _FOLLOWED_BY_OTHERS)

def _original_lock_test_impl(ctx):
    found = {label: True for t in ctx.attr.targets for label in t[_OriginalsInfo].labels.to_list()}
    expected = {str(e.label).lstrip("@"): True for e in ctx.attr.expected}
    wrong = [
        "{} is compiled into them".format(label)
        for label in found
        if label not in expected
    ] + [
        "{} is not compiled into them".format(label)
        for label in expected
        if label not in found
    ]
    names = ", ".join([str(t.label).lstrip("@") for t in ctx.attr.targets])
    out = ctx.actions.declare_file(ctx.label.name + ".sh")
    lines = ["#!/bin/bash", "cat <<'END'"] + [names + ":"] + sorted(wrong) + ["END", "exit {}".format(len(wrong) and 1)]
    ctx.actions.write(out, "\n".join(lines) + "\n", is_executable = True)
    return [DefaultInfo(executable = out)]

# Passes if exactly the libraries `expected` of //lock, by default none, are compiled into any of `targets`.
original_lock_test = rule(
    implementation = _original_lock_test_impl,
    attrs = {
        "expected": attr.label_list(),
        "targets": attr.label_list(aspects = [_originals_aspect], mandatory = True),
    },
    test = True,
)
