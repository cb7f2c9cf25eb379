// The C library's locales: the process's (setlocale) and those that newlocale makes.
#ifndef JACQUARD_SIM_C_LOCALE_H_
#define JACQUARD_SIM_C_LOCALE_H_

namespace jacquard::sim {

// The execution has made a locale or set the process's. Else there is nothing to restore.
extern bool locales_changed;

// After an execution, when no thread uses a locale of its own: the process's is what it was, and
// those that the execution has made and not freed are gone.
void RestoreLocales();

}  // namespace jacquard::sim

#endif  // JACQUARD_SIM_C_LOCALE_H_
