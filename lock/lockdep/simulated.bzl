"""How the simulated form of the validator is made: also from a copy of its sources with a patch applied."""

# Optimised whatever the compilation mode: it runs at every lock. In the simulation it stays uninstrumented, and looks at no
# thread-local storage, for which each thread would have to get its own.
VALIDATOR_COPTS = [
    "-O2",
    "-fno-stack-protector",
]

# What stays visible of the object.
VALIDATOR_KEEP = [
    "_ZN8jacquard4lock7lockdep3MapD?Ev",
    "_ZN8jacquard4lock7lockdep5calls*",
    "_ZN8jacquard4lock7lockdep9Validator*",
    "_ZN8jacquard4lock7lockdep10CheckFreedEPKvm",
    "_ZN8jacquard4lock7lockdep10HeadlineOf*",
    "_ZN8jacquard4lock7lockdep11PrintReport*",
    "_ZN8jacquard4lock7lockdep13GetStatisticsEv",
    "_ZN8jacquard4lock7lockdep16CheckNothingHeldEv",
    "_ZN8jacquard4lock7lockdep16SetReportHandler*",
    "_ZN8jacquard4lock7lockdep19PrintReportAndAbort*",
    "_ZN8jacquard4lock7lockdep4IsOnEv",
    "_ZN8jacquard4lock7lockdep5ResetEv",
]

# Its memory outlives an execution, and its mutex is no step of the program: sim/heap.cc and sim/outside.cc have these functions.
VALIDATOR_RENAME = [
    "pthread_mutex_lock=jacquard_outside_mutex_lock",
    "pthread_mutex_unlock=jacquard_outside_mutex_unlock",
    "_Znwm=jacquard_outside_new",
    "_Znam=jacquard_outside_new_array",
    "malloc=jacquard_outside_malloc",
]
