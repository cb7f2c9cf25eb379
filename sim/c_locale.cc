#include "sim/c_locale.h"

#include <locale.h>

#include <algorithm>
#include <string>
#include <vector>

#include "sim/arena.h"
#include "sim/caller.h"
#include "sim/cxx_library.h"
#include "sim/engine.h"
#include "sim/real.h"

namespace jacquard::sim {

bool locales_changed = false;

namespace {

// As setlocale names it, before the execution set another one. Empty if it has not.
std::string locale_before;
// What the execution has made, the C++ library for its std::locales included.
std::vector<locale_t> made;

void BeforeLocaleChanges() {
  if (!locale_before.empty() || !engine.InExecution()) return;
  locales_changed = true;
  const RealHeap real_heap;
  locale_before = JACQUARD_REAL(setlocale)(LC_ALL, nullptr);
}

void Forget(locale_t locale) {
  if (!made.empty()) std::erase(made, locale);
}

// Another library may keep what it makes.
locale_t Made(locale_t locale, const void* caller) {
  if (locale == nullptr || !engine.InExecution()) return locale;
  if (!FromProgramItself(caller) && !cxx_library.Contains(caller)) return locale;
  locales_changed = true;
  const RealHeap real_heap;
  made.push_back(locale);
  return locale;
}

}  // namespace

void RestoreLocales() {
  locales_changed = false;
  for (const locale_t locale : made) JACQUARD_REAL(freelocale)(locale);
  made.clear();
  if (locale_before.empty()) return;
  JACQUARD_REAL(setlocale)(LC_ALL, locale_before.c_str());
  locale_before.clear();
}

}  // namespace jacquard::sim

using jacquard::sim::BeforeLocaleChanges;
using jacquard::sim::Forget;
using jacquard::sim::Made;

extern "C" {

char* setlocale(int category, const char* locale) noexcept {
  if (locale != nullptr) BeforeLocaleChanges();
  return JACQUARD_REAL(setlocale)(category, locale);
}

// `base`, if there is one, becomes the result, unless there is none.
locale_t newlocale(int categories, const char* name, locale_t base) noexcept {
  const locale_t result = JACQUARD_REAL(newlocale)(categories, name, base);
  if (result != nullptr) Forget(base);
  return Made(result, JACQUARD_RETURN_ADDRESS);
}

locale_t duplocale(locale_t locale) noexcept {
  return Made(JACQUARD_REAL(duplocale)(locale), JACQUARD_RETURN_ADDRESS);
}

void freelocale(locale_t locale) noexcept {
  Forget(locale);
  JACQUARD_REAL(freelocale)(locale);
}

// As the C++ library calls them.
[[gnu::alias("newlocale")]] locale_t __newlocale(int categories, const char* name,
                                                 locale_t base) noexcept;
[[gnu::alias("duplocale")]] locale_t __duplocale(locale_t locale) noexcept;
[[gnu::alias("freelocale")]] void __freelocale(locale_t locale) noexcept;

}  // extern "C"
