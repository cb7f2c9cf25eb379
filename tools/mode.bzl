"""How code under test is built: one string setting, //tools:mode, and the transitions that set it.

plain     as shipped
sim       with the hooks of -fsanitize=thread, for the simulated runtime
sim_fuzz  the same, with libFuzzer's coverage
sim_trace the same, with the coverage of other engines (//tools:engine)
asan      native form: real threads under AddressSanitizer (--config=asan, or native_binary)
tsan      native form: real threads under ThreadSanitizer (--config=tsan, or native_binary)
delayed   native form: real threads, with random delays at atomic accesses (delayed_binary; //stress:access_delays)
"""

_COPT = "//command_line_option:copt"
_LINKOPT = "//command_line_option:linkopt"
_MODE = str(Label("//tools:mode"))  # also from another workspace
_ENGINE = str(Label("//tools:engine"))
_DEFAULT_ENGINE = "libfuzzer"  # as //tools:engine has it

# Of all transitions but _to_engine: where one left out a setting that another changes back, Bazel 4.2.3 would take the same
# code to be two.
_SETTINGS = [_COPT, _LINKOPT, _MODE, _ENGINE]

# Optimised whatever the compilation mode.
_OPTIMISED = ["-O2", "-gline-tables-only", "-fdebug-info-for-profiling", "-fno-omit-frame-pointer"]

# What an engine wants, of code in the native forms. Nobody asks what an input reaches where files are only replayed. Most
# engines other than libFuzzer (AFL++, Honggfuzz, LibAFL) have the callbacks of trace-pc-guard.
_TRACE = ["-fsanitize-coverage=trace-pc-guard"]
_COVERAGE = {
    "external": _TRACE,
    "libfuzzer": ["-fsanitize=fuzzer-no-link", "-fno-sanitize-coverage=stack-depth"],
    "replay": [],
}

# In the simulation without the calls that tell libFuzzer what is compared: locks compare addresses and counters, from which
# it learns nothing.
_SIM_COVERAGE = ["-fsanitize-coverage=inline-8bit-counters,pc-table"]
_SIM_MODE = {"external": "sim_trace", "libfuzzer": "sim_fuzz", "replay": "sim"}

# Clang's hook for a compare-exchange is not told that it is a weak one, and could not report a failure that has seen what
# it expected. So a weak one, wherever its builtin is named (as in <atomic> and <stdatomic.h>), asks the runtime first.
# tools/install/jacquard-cc has the same. A macro cannot tell a comma in braces, or in a template's arguments, from one
# between its own: where there are more than there should be, the builtin is left alone, and never fails spuriously. The
# function is declared where it is called, in C or in C++, with a name for each line: one that was declared outside of
# extern "C" must not be declared again within it.
_WEAK_PARTS = (
    "__extension__({__auto_type jacquard_p=(p);__auto_type jacquard_e=(e);%s jacquard_d=(d);" +
    "int jacquard_fails(const volatile void*,void*,unsigned long,int)__asm__(\"jacquard_weak_compare_exchange_fails\");" +
    "__typeof__(__atomic_is_lock_free(1,jacquard_p)) jacquard_r=" +  # bool, as in C and C++
    "!(%sjacquard_fails(jacquard_p,jacquard_e,sizeof(*jacquard_%s),(f)))&&%s;jacquard_r;})"
)
_VALUE = "__typeof__(__atomic_load_n(jacquard_p,0))"  # what is expected may be a void*

def _weak(builtin, parameters, body):
    count = len(parameters.split(","))
    others = ["jacquard_other_" + builtin]
    names = others * (16 - count) + ["jacquard_weak_" + builtin] + others * (count - 1)
    return [
        "-D%s(...)=jacquard_seventeenth(__VA_ARGS__,%s)(__VA_ARGS__)" % (builtin, ",".join(names)),
        "-Djacquard_other_%s(...)=%s(__VA_ARGS__)" % (builtin, builtin),
        "-Djacquard_weak_%s(%s)=%s" % (builtin, parameters, body),
    ]

_WEAK = (
    [
        "-Djacquard_seventeenth(a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q,...)=q",
        "-Djacquard_name_(a,b,c)=a##b##_##c",
        "-Djacquard_name(a,b,c)=jacquard_name_(a,b,c)",
        "-Djacquard_fails=jacquard_name(jacquard_fails_,__INCLUDE_LEVEL__,__LINE__)",
    ] +
    _weak(
        "__atomic_compare_exchange_n",
        "p,e,d,w,s,f",
        _WEAK_PARTS % (_VALUE, "(w)&&", "p", "__atomic_compare_exchange_n(jacquard_p,jacquard_e,jacquard_d,(w),(s),(f))"),
    ) +
    _weak(
        "__atomic_compare_exchange",
        "p,e,d,w,s,f",
        _WEAK_PARTS % ("__auto_type", "(w)&&", "p", "__atomic_compare_exchange(jacquard_p,jacquard_e,jacquard_d,(w),(s),(f))"),
    ) +
    _weak(
        "__c11_atomic_compare_exchange_weak",
        "p,e,d,s,f",
        _WEAK_PARTS % ("__typeof__(*jacquard_e)", "", "e", "__c11_atomic_compare_exchange_weak(jacquard_p,jacquard_e,jacquard_d,(s),(f))"),
    ) +
    ["-Wno-undefined-internal"]  # of the function, in an unnamed namespace
)

# The read of a plain `++x` keeps its hook. And so does every access to a local variable: where clang believes that nobody else
# knows its address, it leaves them out, and it overlooks whom the address of the whole was given to (LLVM 19).
#
# Accesses that the program does not make would race: a loop that writes to a variable now and then reads it before it begins,
# where clang promotes it to a register, and vectorised loops read what lies between the elements that they use. Vectors of more
# than 16 bytes have no hooks.
_PASSES = [
    "-tsan-instrument-read-before-write=1",
    "-capture-tracking-max-uses-to-explore=0",
    "-disable-licm-promotion",
    "-vectorize-loops=false",
    "-vectorize-slp=false",
]
# So would the read of one of two variables: of `c ? a : b` as a reference clang makes a choice of two values, both of which are
# read. Not where a fuzzer is to see which way it went; and that it says so is all that we want of the fuzzer here. (Of local
# variables another pass still reads one in any case.)
_AS_FOR_A_FUZZER = [
    "-fsanitize=fuzzer-no-link",
    "-fno-sanitize-coverage=edge,inline-8bit-counters,indirect-calls,trace-cmp,pc-table,stack-depth",
]
_HOOKS = ["-fsanitize=thread"] + _AS_FOR_A_FUZZER + [word for flag in _PASSES for word in ["-mllvm", flag]] + _WEAK + _OPTIMISED

# Copts that the simulated modes add; the way back to `plain` removes exactly these.
_ADDED = {"sim": _HOOKS, "sim_fuzz": _HOOKS + _SIM_COVERAGE, "sim_trace": _HOOKS + _TRACE}

# What --config=asan, tsan and ubsan add in .bazelrc, for native_binary and ubsan_binary: tests/workspace:sanitizer_flags_test
# compares them.
SANITIZER_COPTS = {
    "asan": ["-fsanitize=address", "-fno-omit-frame-pointer", "-gline-tables-only"],
    "tsan": ["-fsanitize=thread", "-gline-tables-only"],
    "ubsan": ["-fsanitize=undefined", "-fno-sanitize-recover=undefined", "-gline-tables-only"],
}
SANITIZER_LINKOPTS = {
    "asan": ["-fsanitize=address"],
    "tsan": ["-fsanitize=thread"],
    "ubsan": ["-fsanitize=undefined", "-fsanitize-link-c++-runtime"],
}

# Fixed addresses for globals: addresses may not differ between runs.
_SIM_LINKOPTS = ["-no-pie"]

# Clang's source-based coverage.
_SOURCE_COVERAGE = ["-fprofile-instr-generate", "-fcoverage-mapping"]

# What describes the counters of prelinked code hangs on to nothing; with -c opt the linker would leave it out.
_SOURCE_COVERAGE_LINKOPTS = ["-fprofile-instr-generate", "-Wl,--no-gc-sections"]

def _mode_flag_impl(_ctx):
    return []

mode_flag = rule(
    implementation = _mode_flag_impl,
    build_setting = config.string(flag = True),
)

def _coverage(settings, attr):
    """Copts of a native form."""
    return _COVERAGE[settings[_ENGINE]] if attr.fuzz else []

def _without_front(words, front):
    return words[len(front):] if words[:len(front)] == front else words

def _changed(settings, changes):
    return dict({name: settings[name] for name in _SETTINGS}, **changes)

def _to_plain(settings, attr):
    """So that the forms of a program share it: for the default engine, and without source coverage, unless a part asks for
    that (`has_coverage`)."""
    added = _ADDED.get(settings[_MODE])
    if not added:
        return _changed(settings, {_ENGINE: _DEFAULT_ENGINE})
    copts = settings[_COPT][:-len(added)]
    linkopts = settings[_LINKOPT][:-len(_SIM_LINKOPTS)]
    if not attr.has_coverage:
        copts = _without_front(copts, _SOURCE_COVERAGE)
        linkopts = _without_front(linkopts, _SOURCE_COVERAGE_LINKOPTS)
    return {
        _COPT: copts,
        _LINKOPT: linkopts,
        _MODE: "plain",
        _ENGINE: _DEFAULT_ENGINE,
    }

def _to_sim(settings, attr):
    mode = settings[_MODE]
    if mode in _ADDED:
        return _changed(settings, {})
    if mode != "plain":  # asan, tsan: the native form
        return _changed(settings, {_COPT: settings[_COPT] + _OPTIMISED + _coverage(settings, attr)})
    mode = _SIM_MODE[settings[_ENGINE]] if attr.fuzz and attr.code_coverage else "sim"
    return _changed(settings, {
        _COPT: settings[_COPT] + _ADDED[mode],
        _LINKOPT: settings[_LINKOPT] + _SIM_LINKOPTS,
        _MODE: mode,
    })

def _plain_to_sim(settings, attr):
    return _to_sim(settings, attr) if settings[_MODE] == "plain" else _changed(settings, {})

def _to_native(settings, attr):
    sanitizer = attr.sanitizer
    return _changed(settings, {
        _COPT: settings[_COPT] + SANITIZER_COPTS[sanitizer] + _OPTIMISED + _coverage(settings, attr),
        _LINKOPT: settings[_LINKOPT] + SANITIZER_LINKOPTS[sanitizer],
        _MODE: sanitizer,
    })

# Of ThreadSanitizer's pass the calls for atomic accesses alone; not its runtime.
_ATOMIC_CALLS = ["-fsanitize=thread"] + [
    word
    for what in ["memory-accesses", "func-entry-exit", "memintrinsics"]
    for word in ["-mllvm", "-tsan-instrument-%s=0" % what]
]

def _to_delayed(settings, _attr):
    return _changed(settings, {_COPT: settings[_COPT] + _ATOMIC_CALLS + _OPTIMISED, _MODE: "delayed"})

def _in_front(settings, copts, linkopts):
    """In front: the way back to `plain` removes what stands at the end."""
    return _changed(settings, {
        _COPT: copts + settings[_COPT],
        _LINKOPT: linkopts + settings[_LINKOPT],
    })

def _to_covered(settings, _attr):
    return _in_front(settings, _SOURCE_COVERAGE, _SOURCE_COVERAGE_LINKOPTS)

def _to_ubsan(settings, _attr):
    return _in_front(settings, SANITIZER_COPTS["ubsan"], SANITIZER_LINKOPTS["ubsan"])

def _to_optimised(settings, attr):
    return _changed(settings, {_COPT: settings[_COPT] + _OPTIMISED + _coverage(settings, attr)})

def _transition(implementation):
    return transition(implementation = implementation, inputs = _SETTINGS, outputs = _SETTINGS)

to_plain_transition = _transition(_to_plain)
to_sim_transition = _transition(_to_sim)
plain_to_sim_transition = _transition(_plain_to_sim)
to_native_transition = _transition(_to_native)
to_delayed_transition = _transition(_to_delayed)
to_covered_transition = _transition(_to_covered)
to_ubsan_transition = _transition(_to_ubsan)
to_optimised_transition = _transition(_to_optimised)

def _to_engine(_settings, attr):
    return {_ENGINE: attr.engine}

_to_engine_transition = transition(implementation = _to_engine, inputs = [], outputs = [_ENGINE])

def _rebuilt_binary_impl(ctx):
    binary = ctx.attr.binary[0]
    out = ctx.actions.declare_file(ctx.label.name)
    ctx.actions.symlink(
        output = out,
        target_file = binary[DefaultInfo].files_to_run.executable,
        is_executable = True,
    )

    # Without the program that `out` stands for: another form of it may be among the same runfiles, under the same path.
    runfiles = binary[DefaultInfo].default_runfiles.files.to_list()
    data = [f for f in runfiles if f != binary[DefaultInfo].files_to_run.executable]
    info = DefaultInfo(executable = out, runfiles = ctx.runfiles(files = data))
    return [info, testing.TestEnvironment(ctx.attr.env)] if hasattr(ctx.attr, "env") else [info]

def _rule(transition, kind = "executable", **attrs):
    """A rule for `binary`, and all that it depends on, built in another way. Assign it to a global name."""
    return rule(
        implementation = _rebuilt_binary_impl,
        attrs = dict({
            "binary": attr.label(cfg = transition, mandatory = True, executable = True),
            "fuzz": attr.bool(doc = "a fuzz target: adds the engine's coverage"),
            "code_coverage": attr.bool(default = True, doc = "false: not in the simulated form"),
            "_allowlist_function_transition": attr.label(
                default = "@bazel_tools//tools/allowlists/function_transition_allowlist",
            ),
        }, **attrs),
        **{kind: True}
    )

# For the simulation.
sim_binary = _rule(to_sim_transition)
sim_test = _rule(to_sim_transition, kind = "test", env = attr.string_dict())

# In its native form under a sanitizer: as --config=asan or --config=tsan would build it, from a build without. Incompatible
# with these (NOT_NATIVE).
native_binary = _rule(
    to_native_transition,
    sanitizer = attr.string(mandatory = True, values = ["asan", "tsan"]),
)

# A stress program with random delays at atomic accesses. From a build without a sanitizer (NOT_NATIVE).
delayed_binary = _rule(to_delayed_transition)

# With Clang's source coverage: it writes a profile to $LLVM_PROFILE_FILE.
covered_binary = _rule(to_covered_transition)

# Simulated or not, as --config=ubsan would build it, from a build without.
ubsan_binary = _rule(to_ubsan_transition)

# A fuzz target for another engine (//tools:engine).
engine_binary = _rule(
    _to_engine_transition,
    engine = attr.string(mandatory = True, values = _COVERAGE.keys()),
)

# Optimised whatever the compilation mode and without the simulation.
optimised_binary = _rule(to_optimised_transition)
