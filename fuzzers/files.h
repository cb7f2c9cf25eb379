// Files, read whole and never overwritten by accident.
#ifndef JACQUARD_FUZZERS_FILES_H_
#define JACQUARD_FUZZERS_FILES_H_

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace jacquard::fuzzers {

using Bytes = std::vector<uint8_t>;

// Larger files are no inputs.
inline constexpr size_t kMaxFileSize = 1 << 20;

// The end of what is said of a file that exists.
inline constexpr std::string_view kForceOverwrites = "--force overwrites it";

// "-" is standard input or output in both. Each returns "" or what went wrong, with the file's
// name.
std::string ReadFile(const std::string& path, Bytes* bytes);
// An existing file is an error unless `overwrite`; then it stays as it is until all is written,
// and keeps its mode. What could not be written as a whole is removed.
std::string WriteFile(const std::string& path, std::span<const uint8_t> bytes, bool overwrite);

// The same before the work that makes the content, without a change: "" or what is to be expected
// to go wrong where `path` is written to, whether it exists or not.
std::string WriteProblem(const std::string& path);
// The same of a file that may not be there unless `overwrite`.
std::string OutputProblem(const std::string& path, bool overwrite);

// Appends `path` to `files`, or, of a folder, all files in it and in folders inside, in the order
// of their names, but for those whose names begin with a dot. "" or what went wrong.
std::string AddFiles(const std::string& path, std::vector<std::string>& files);

// By which files of the same content have the same name (FNV-1a).
uint64_t HashOf(std::span<const uint8_t> bytes);

}  // namespace jacquard::fuzzers

#endif  // JACQUARD_FUZZERS_FILES_H_
