// {fmt}'s own functions, compiled once: Debian has them as a shared library alone, and with the
// headers alone each file that formats would compile them again.
#include <fmt/format-inl.h>

// What its headers declare and leave to one file to define.
FMT_BEGIN_NAMESPACE
namespace detail {
template FMT_API std::locale locale_ref::get<std::locale>() const;
template FMT_API thousands_sep_result<char> thousands_sep_impl(locale_ref);
template FMT_API char decimal_point_impl(locale_ref);
}  // namespace detail
FMT_END_NAMESPACE
