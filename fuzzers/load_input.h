// Inputs from files, as texts or as bytes.
#ifndef JACQUARD_FUZZERS_LOAD_INPUT_H_
#define JACQUARD_FUZZERS_LOAD_INPUT_H_

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "fuzzers/codec.h"
#include "fuzzers/files.h"
#include "fuzzers/input.h"

namespace jacquard::fuzzers {

inline constexpr std::string_view kTextExtension = ".txt";

std::string_view AsText(std::span<const uint8_t> bytes);

// Whether the file is a text, by its name or by what is in it.
bool IsTextFile(const std::string& path, const Bytes& bytes);

// Reads such a text. "" or what is wrong with it, with the file, line and column.
std::string ParseFile(const std::string& path, const Bytes& bytes, const Codec& codec,
                      Input* input);

// Reads an input, as text or as bytes. "" or what is wrong: the file cannot be read, has a mistake
// (with line and column), or is not an input of this target.
std::string LoadInput(const std::string& path, const Codec& codec, Input* input);

// The file among those that an engine's arguments name, the program first, and in their folders,
// that begins with `bytes`; "" if there is none.
std::string FileThatBegins(std::span<const uint8_t> bytes, std::span<const std::string> arguments);

}  // namespace jacquard::fuzzers

#endif  // JACQUARD_FUZZERS_LOAD_INPUT_H_
