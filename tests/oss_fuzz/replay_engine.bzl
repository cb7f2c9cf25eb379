"""replay_engine_binary: a fuzz target built with //tools:engine=replay, from a build without."""

_ENGINE = "//tools:engine"

def _to_replay_impl(_settings, _attr):
    return {_ENGINE: "replay"}

_to_replay = transition(implementation = _to_replay_impl, inputs = [], outputs = [_ENGINE])

def _replay_engine_binary_impl(ctx):
    binary = ctx.attr.binary[0]
    out = ctx.actions.declare_file(ctx.label.name)
    ctx.actions.symlink(output = out, target_file = binary[DefaultInfo].files_to_run.executable, is_executable = True)
    return [DefaultInfo(executable = out, runfiles = binary[DefaultInfo].default_runfiles)]

replay_engine_binary = rule(
    implementation = _replay_engine_binary_impl,
    attrs = {
        "binary": attr.label(cfg = _to_replay, mandatory = True, executable = True),
        "_allowlist_function_transition": attr.label(
            default = "@bazel_tools//tools/allowlists/function_transition_allowlist",
        ),
    },
    executable = True,
)
