"""prelinked_cc_library: uninstrumented code as one object whose internals the final link cannot merge with others.

Inline functions and templates that both sides use would otherwise be merged by the linker, and the code under test
would lose hooks: a silent missed race.

Its data is told apart from the program's by the names of the sections, jacquard_data and jacquard_bss (sim/snapshot.cc),
its code by lying in one piece, from jacquard_text_begin to jacquard_text_end (sim/caller.h).
"""

load("@rules_cc//cc:find_cc_toolchain.bzl", "find_cpp_toolchain")
load("@rules_cc//cc/common:cc_common.bzl", "cc_common")
load("@rules_cc//cc/common:cc_info.bzl", "CcInfo")
load(":mode.bzl", "plain_to_sim_transition", "to_plain_transition")

_SCRIPT = """
set -e
raw=$1 out=$2 archive=$3; shift 3
n=$1; shift; keep=(); for ((i = 0; i < n; i++)); do keep+=(--keep-global-symbol="$1"); shift; done
n=$1; shift; hide=(); for ((i = 0; i < n; i++)); do hide+=(--localize-symbol="$1"); shift; done
n=$1; shift; weaken=("${@:1:n}"); shift "$n"
n=$1; shift; rename=(); for ((i = 0; i < n; i++)); do rename+=(--redefine-sym "$1"); shift; done
cat > "$raw.lds" <<'END'
SECTIONS {
  .text : { jacquard_text_begin = .; *(.text .text.*) jacquard_text_end = .; }
  jacquard_data : { *(.data .data.[!r]*) }
  jacquard_bss : { *(.bss .bss.*) }
}
END
ld -r --force-group-allocation -T "$raw.lds" -o "$raw" "$@"
objcopy -w "${keep[@]}" "$raw" "$out"
[ ${#hide[@]} -eq 0 ] || objcopy -w "${hide[@]}" "$out"

# A weak function gets a second, weak name at the same place; the one that the code itself uses becomes local.
own=() weak=()
while read -r value section name; do
  for pattern in "${weaken[@]}"; do
    [[ $name == $pattern ]] || continue
    own+=(--redefine-sym "$name=jacquard_own_$name")
    weak+=(--add-symbol "$name=$section:0x$value,weak,function")
    break
  done
done < <([ ${#weaken[@]} -eq 0 ] || objdump -t "$out" | awk '$2 == "g" && $3 == "F" { print $1, $4, $NF }')
if [ ${#own[@]} -ne 0 ]; then
  objcopy "${own[@]}" "$out"
  objcopy -w --localize-symbol='jacquard_own_*' "${weak[@]}" "$out"
fi
[ ${#rename[@]} -eq 0 ] || objcopy "${rename[@]}" "$out"
ar rcsD "$archive" "$out"
"""

def _prelinked_cc_library_impl(ctx):
    objects = []
    flags = []
    for dep in ctx.attr.deps:
        for linker_input in dep[CcInfo].linking_context.linker_inputs.to_list():
            flags += linker_input.user_link_flags
            for library in linker_input.libraries:
                objects += library.objects or library.pic_objects or []
    objects = {o: True for o in objects}.keys()  # each once, also where several deps need it
    if not objects:
        fail("no objects in deps")
    raw = ctx.actions.declare_file(ctx.label.name + ".raw.o")
    out = ctx.actions.declare_file(ctx.label.name + ".o")
    archive = ctx.actions.declare_file("lib" + ctx.label.name + ".a")
    ctx.actions.run_shell(
        inputs = objects,
        outputs = [raw, out, archive],
        command = _SCRIPT,
        arguments = [raw.path, out.path, archive.path, str(len(ctx.attr.keep))] + ctx.attr.keep +
                    [str(len(ctx.attr.hide))] + ctx.attr.hide +
                    [str(len(ctx.attr.weaken))] + ctx.attr.weaken +
                    [str(len(ctx.attr.rename))] + ctx.attr.rename + [o.path for o in objects],
        mnemonic = "Prelink",
    )
    toolchain = find_cpp_toolchain(ctx)
    features = cc_common.configure_features(
        ctx = ctx,
        cc_toolchain = toolchain,
        requested_features = ctx.features,
        unsupported_features = ctx.disabled_features,
    )
    library = cc_common.create_library_to_link(
        actions = ctx.actions,
        feature_configuration = features,
        cc_toolchain = toolchain,
        static_library = archive,
        pic_static_library = archive,
        alwayslink = True,
    )
    linker_input = cc_common.create_linker_input(
        owner = ctx.label,
        libraries = depset([library]),
        user_link_flags = depset(flags),
    )
    headers = cc_common.merge_cc_infos(cc_infos = [h[CcInfo] for h in ctx.attr.hdrs_from])
    return [
        DefaultInfo(files = depset([out]), runfiles = ctx.runfiles(files = [out])),
        CcInfo(
            compilation_context = headers.compilation_context,
            linking_context = cc_common.create_linking_context(linker_inputs = depset([linker_input])),
        ),
    ]

prelinked_cc_library = rule(
    implementation = _prelinked_cc_library_impl,
    # There and back, wherever it is asked for: see plain_cc_test.bzl.
    cfg = plain_to_sim_transition,
    attrs = {
        "deps": attr.label_list(cfg = to_plain_transition, providers = [CcInfo]),
        "hdrs_from": attr.label_list(providers = [CcInfo], doc = "libraries whose headers users may include"),
        "fuzz": attr.bool(doc = "for the transition"),
        "code_coverage": attr.bool(doc = "for the transition"),
        "has_coverage": attr.bool(doc = "whether covered_binary has the source coverage of `deps`, too"),
        "keep": attr.string_list(doc = "patterns of symbols that stay global"),
        "rename": attr.string_list(doc = "OLD=NEW: symbols that the objects need under another name"),
        "hide": attr.string_list(doc = "patterns of symbols that `keep` names but that become local after all"),
        "weaken": attr.string_list(doc = "patterns of functions that others may define as well, for everybody but `deps`"),
        "_cc_toolchain": attr.label(default = "@bazel_tools//tools/cpp:current_cc_toolchain"),
        "_allowlist_function_transition": attr.label(
            default = "@bazel_tools//tools/allowlists/function_transition_allowlist",
        ),
    },
    toolchains = ["@bazel_tools//tools/cpp:toolchain_type"],
    fragments = ["cpp"],
)
