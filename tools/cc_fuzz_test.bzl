"""cc_fuzz_test: a fuzz target from one scenario class, with the interface of Bazel's rules_fuzzing.

    cc_fuzz_test(
        name = "rw_lock_fuzz_test",
        srcs = ["rw_lock_fuzz_test.cc"],
        corpus = glob(["corpus/**"]),
        deps = [":rw_lock"],
    )

| target         | what it is                                                                              |
|----------------|-----------------------------------------------------------------------------------------|
| NAME           | regression test: executes the seeds, and whatever else lies in the corpus               |
| NAME_run       | `bazel run` it: fuzzes. `-- --help` lists its flags; what has one dash goes to the engine |
| NAME_bin       | the program, for every flag of the engine                                               |
| NAME_corpus    | a folder with the seeds as bytes; texts are compiled; never empty                             |
| NAME_dict      | the dictionaries, merged; only with `dicts`                                             |
| NAME_oss_fuzz  | NAME_oss_fuzz.tar: what OSS-Fuzz and ClusterFuzzLite want of a target (tools/oss_fuzz)       |
| NAME_explore   | `bazel run` it: explores the scenarios with strategies instead of an engine             |
| NAME_report    | `bazel run` it: as NAME_run with --report, with the source coverage of the code under test    |
| NAME_covered   | NAME_bin with Clang's source coverage                                                     |
| NAME_stress    | the same scenario on real threads, as often as it is told                               |
| NAME_delayed_stress | NAME_stress with random delays at each atomic access of the code under test, too            |
| NAME_asan_bin  | NAME_bin as --config=asan would build it, without that: real threads                    |
| NAME_tsan_bin  | the same for --config=tsan                                                              |
| NAME_raw_      | the program without the transition: do not depend on it                                 |

The program is simulated, and native under --config=asan and --config=tsan.

With `scenario = False` it is an ordinary fuzz target, for code that has nothing to do with threads: `srcs` define
LLVMFuzzerTestOneInput, nothing is simulated, seeds are bytes, there is no NAME_stress, NAME_delayed_stress,
NAME_explore, NAME_report, NAME_covered, NAME_asan_bin or NAME_tsan_bin, and the launcher refuses the flags for replay and texts.
"""

load("@rules_cc//cc:cc_binary.bzl", "cc_binary")
load("@rules_shell//shell:sh_binary.bzl", "sh_binary")
load("@rules_shell//shell:sh_test.bzl", "sh_test")
load(":compatibility.bzl", "NOT_NATIVE")
load(":mode.bzl", "covered_binary", "delayed_binary", "native_binary", "optimised_binary", "sim_binary")

def _fuzz_corpus_impl(ctx):
    folder = ctx.actions.declare_directory(ctx.label.name)
    files = ctx.files.corpus
    outputs = [folder]
    if not files:
        # Bazel does not put empty folders among the runfiles.
        ctx.actions.run_shell(
            outputs = [folder],
            command = ': > "$1/empty"',
            arguments = [folder.path],
            mnemonic = "FuzzCorpus",
        )
    elif ctx.attr.compile:
        # The launcher looks for it beside the folder.
        sources = ctx.actions.declare_file(ctx.label.name + ".sources")
        outputs.append(sources)
        ctx.actions.run(
            executable = ctx.executable.binary,
            inputs = files,
            outputs = outputs,
            arguments = ["--sources", sources.path, "--seed-corpus", folder.path] + [f.path for f in files],
            mnemonic = "FuzzCorpus",
            progress_message = "Compiling the seeds of %s" % ctx.label,
        )
    else:
        ctx.actions.run_shell(
            inputs = files,
            outputs = [folder],
            command = 'for f in "${@:2}"; do cp -L --backup=numbered -- "$f" "$1"; done',
            arguments = [folder.path] + [f.path for f in files],
            mnemonic = "FuzzCorpus",
            progress_message = "Copying the seeds of %s" % ctx.label,
        )
    return [DefaultInfo(files = depset([folder]), runfiles = ctx.runfiles(files = outputs))]

_fuzz_corpus = rule(
    implementation = _fuzz_corpus_impl,
    attrs = {
        "binary": attr.label(cfg = "target", mandatory = True, executable = True),
        "compile": attr.bool(doc = "texts to bytes"),
        "corpus": attr.label_list(allow_files = True),
    },
)

def _oss_fuzz_impl(ctx):
    out = ctx.actions.declare_file(ctx.label.name + ".tar")
    arguments = ctx.actions.args()
    arguments.add_all([ctx.file._pack, out, ctx.attr.target_name, ctx.executable.binary, ctx.files.corpus[0].path])
    arguments.add_all(ctx.files.dictionary, before_each = "--dictionary")
    arguments.add_all(ctx.files.options, before_each = "--options")
    ctx.actions.run_shell(
        inputs = [ctx.file._pack] + ctx.files.corpus + ctx.files.dictionary + ctx.files.options,
        tools = [ctx.executable.binary],
        outputs = [out],
        command = 'exec python3 "$@"',
        arguments = [arguments],
        mnemonic = "OssFuzz",
        progress_message = "Packing %s" % ctx.label,
    )
    return [DefaultInfo(files = depset([out]), runfiles = ctx.runfiles(files = [out]))]

_oss_fuzz = rule(
    implementation = _oss_fuzz_impl,
    attrs = {
        "binary": attr.label(cfg = "target", mandatory = True, executable = True),
        "corpus": attr.label(mandatory = True),
        "dictionary": attr.label(allow_files = True),
        "options": attr.label(allow_files = True),
        "target_name": attr.string(mandatory = True),
        "_pack": attr.label(default = "//tools:oss_fuzz/pack.py", allow_single_file = True),
    },
)

# Where a service runs the program, NAME_oss_fuzz.tar has brought shared libraries along. The old kind of tag, which holds for
# what libraries need as well.
_BUNDLED_LIBRARIES = ["-Wl,--disable-new-dtags,-rpath,'$$ORIGIN/lib'"]

# The option that the user has to repeat to replay in the same form.
_CONFIG = select({
    str(Label("//tools:mode_asan")): ["--bazel_config=asan"],
    str(Label("//tools:mode_tsan")): ["--bazel_config=tsan"],
    "//conditions:default": [],
})

def corpus_source(corpus, package):
    """The folder in which the first of `corpus` lies, from the workspace's root; "" if that is not to be seen.

    Args:
      corpus: as of cc_fuzz_test, in a BUILD file of `package`.
      package: its name.

    Returns:
      A string.
    """
    if type(corpus) != "list" or not corpus or corpus[0].startswith("@"):
        return ""
    first = corpus[0]
    if first.startswith("//"):
        package, colon, first = first[2:].partition(":")
        if not colon:
            return package
    elif first.startswith(":"):
        first = first[1:]
        if "/" not in first:  # a rule, most likely
            return ""
    return "/".join([package] + first.split("/")[:-1]).strip("/")

def cc_fuzz_test(
        name,
        corpus = None,
        dicts = None,
        code_coverage = True,
        size = "small",
        timeout = None,
        tags = [],
        srcs = [],
        deps = [],
        linkopts = [],
        options = None,
        scenario = True,
        visibility = None,
        testonly = True,
        **kwargs):
    """Declares a fuzz target.

    Args:
      name: of the regression test; the other targets' names begin with it.
      corpus: seeds and regressions: texts (*.txt, fuzzers/text.h) or bytes.
      dicts: dictionaries for the engine.
      code_coverage: whether libFuzzer sees the edges of the code that an input reaches. A scenario with a StateFeature
        that tells the lock's states apart does better without, in the simulated form: the code of a lock is soon
        covered, and from then on the edges only cost time.
      size: of the regression test.
      timeout: of the regression test.
      tags: of the regression test; `fuzz-test` is added.
      srcs: with a scenario class and JACQUARD_FUZZ_TARGET.
      deps: what it needs; the harness is added.
      linkopts: as of cc_binary.
      options: a file with options for OSS-Fuzz ([libfuzzer], [asan], ...), in place of NAME_oss_fuzz's own.
      scenario: False for an ordinary fuzz target.
      visibility: of all targets.
      testonly: of all targets.
      **kwargs: passed to the cc_binary.
    """
    common = {"visibility": visibility, "testonly": testonly}
    manual = dict(common, tags = ["manual"])

    cc_binary(
        name = name + "_raw_",
        srcs = srcs,
        deps = deps + ([
            Label("//fuzzers:harness"),
            Label("//fuzzers:scenario"),
        ] if scenario else [Label("//fuzzers:ordinary_engine")]),
        linkopts = linkopts + _BUNDLED_LIBRARIES,
        **dict(kwargs, **manual)
    )
    if scenario:
        sim_binary(
            name = name + "_bin",
            binary = name + "_raw_",
            code_coverage = code_coverage,
            fuzz = True,
            **manual
        )
        cc_binary(
            name = name + "_explore_raw_",
            srcs = srcs,
            deps = deps + [
                Label("//fuzzers:explorer"),
                Label("//fuzzers:scenario"),
            ],
            target_compatible_with = NOT_NATIVE,
            **dict(kwargs, **manual)
        )
        sim_binary(
            name = name + "_explore_bin",
            binary = name + "_explore_raw_",
            target_compatible_with = NOT_NATIVE,
            **manual
        )
        cc_binary(
            name = name + "_stress_raw_",
            srcs = srcs,
            deps = deps + [
                Label("//fuzzers:scenario"),
                Label("//stress:main"),
            ],
            **dict(kwargs, **manual)
        )
        optimised_binary(name = name + "_stress", binary = name + "_stress_raw_", **manual)
        delayed_binary(
            name = name + "_delayed_stress",
            binary = name + "_stress_raw_",
            target_compatible_with = NOT_NATIVE,
            **manual
        )
        for sanitizer in ["asan", "tsan"]:
            native_binary(
                name = "{}_{}_bin".format(name, sanitizer),
                binary = name + "_raw_",
                fuzz = True,
                sanitizer = sanitizer,
                target_compatible_with = NOT_NATIVE,
                **manual
            )
    else:
        optimised_binary(name = name + "_bin", binary = name + "_raw_", fuzz = True, **manual)

    _fuzz_corpus(
        name = name + "_corpus",
        binary = name + "_bin",
        compile = scenario,
        corpus = corpus or [],
        **manual
    )

    _oss_fuzz(
        name = name + "_oss_fuzz",
        binary = name + "_bin",
        corpus = name + "_corpus",
        dictionary = name + "_dict" if dicts else None,
        options = options or (str(Label("//tools:oss_fuzz/scenario.options")) if scenario else None),
        target_name = name,
        **manual
    )

    reporter = Label("//tools:campaign_report.py")
    data = [name + "_bin", name + "_corpus", reporter, Label("//tools:source_coverage.py")]
    args = [
        "--label=//%s:%s" % (native.package_name(), name),
        "--binary_path=$(rootpath :%s_bin)" % name,
        "--seed_corpus=$(rootpath :%s_corpus)" % name,
        "--reporter=$(rootpath %s)" % reporter,
        "--corpus_source=" + corpus_source(corpus, native.package_name()),
    ] + _CONFIG + ([] if scenario else ["--ordinary"])
    if dicts:
        native.genrule(
            name = name + "_dict",
            srcs = dicts,
            outs = [name + ".dict"],
            cmd = "cat $(SRCS) > $@",
            **common
        )
        data = data + [name + "_dict"]
        args = args + ["--dictionary_path=$(rootpath :%s_dict)" % name]

    launcher = Label("//tools:fuzz_launcher.sh")
    if scenario:
        sh_binary(
            name = name + "_explore",
            srcs = [launcher],
            data = [name + "_explore_bin", name + "_corpus"],
            args = [
                "--label=//%s:%s" % (native.package_name(), name),
                "--binary_path=$(rootpath :%s_explore_bin)" % name,
                "--seed_corpus=$(rootpath :%s_corpus)" % name,
                "--explore",
            ],
            target_compatible_with = NOT_NATIVE,
            **manual
        )
        covered_binary(
            name = name + "_covered",
            binary = name + "_bin",
            target_compatible_with = NOT_NATIVE,
            **manual
        )
        sh_binary(
            name = name + "_report",
            srcs = [launcher],
            args = args + ["--report", "--covered_path=$(rootpath :%s_covered)" % name],
            data = data + [name + "_covered"],
            target_compatible_with = NOT_NATIVE,
            **manual
        )
    sh_binary(name = name + "_run", srcs = [launcher], data = data, args = args, **manual)
    sh_test(
        name = name,
        size = size,
        timeout = timeout,
        srcs = [launcher],
        args = args + ["--regression"],
        data = data,
        tags = tags + ["fuzz-test"],
        **common
    )
