// The transition table of the reference word: found by exploration, written in docs/vma_lock.md.
#ifndef JACQUARD_TESTS_VMA_LOCK_TRANSITION_TABLE_H_
#define JACQUARD_TESTS_VMA_LOCK_TRANSITION_TABLE_H_

#include <optional>
#include <string>
#include <vector>

namespace jacquard::fuzzers {

// The lines of the page between which the table stands.
inline constexpr const char* kTableBegin = "<!-- transitions: begin, generated -->";
inline constexpr const char* kTableEnd = "<!-- transitions: end -->";

// What the exploration has seen: the rows of the table without its head, in
// the order in which a VMA's life goes. Always the
// same; takes a few seconds. `error` says what went wrong, if anything did.
std::vector<std::string> ExploreTransitions(std::string* error);

// The table as the page has it.
std::string FormatTable(const std::vector<std::string>& rows);

// The rows of the table in `page`; nothing if it has none.
std::optional<std::vector<std::string>> RowsOf(const std::string& page);

// `page` with its table replaced; nothing if it has none.
std::optional<std::string> ReplaceTable(const std::string& page,
                                        const std::vector<std::string>& rows);

}  // namespace jacquard::fuzzers

#endif  // JACQUARD_TESTS_VMA_LOCK_TRANSITION_TABLE_H_
