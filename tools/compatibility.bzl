"""Which targets make sense under which sanitizer: values for target_compatible_with."""

# Needs the simulated runtime: not in the native forms.
SIMULATED_ONLY = select({
    "//tools:mode_asan": ["@platforms//:incompatible"],
    "//tools:mode_tsan": ["@platforms//:incompatible"],
    "//conditions:default": [],
})

# Exists only as a native form: real threads under a sanitizer.
NATIVE_ONLY = select({
    "//tools:mode_asan": [],
    "//tools:mode_tsan": [],
    "//conditions:default": ["@platforms//:incompatible"],
})
