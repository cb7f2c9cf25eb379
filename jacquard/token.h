// A replay token: one execution, as a short text that can be copied.
//
// It holds the choices that were not benign, the options of the execution that matter, which body
// it is of, and which build. After "J1" follow letters, digits, "-" and "_" only (base64url of
// variable-length numbers, a checksum last).
#ifndef JACQUARD_JACQUARD_TOKEN_H_
#define JACQUARD_JACQUARD_TOKEN_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "sim/byte_string.h"
#include "sim/execute.h"

namespace jacquard::call {

struct Token {
  uint32_t build = 0;  // BuildHash() of the program that made it
  uint32_t body = 0;   // a hash of what was explored: of its type, of the test, of its number there
  ExecutionOptions options;
  std::vector<Exception> exceptions;
  std::vector<Exception> memory_exceptions;
};

std::string FormatToken(const Token& token);

// Returns what is wrong with `text`, for a person; "" if nothing is. Every text but those that
// FormatToken makes is refused, but for one in four billion.
std::string ParseToken(std::string_view text, Token& token);

// The same for one token or several, with "+" between them: executions that make a finding
// together.
std::string ParseTokens(std::string_view text, std::vector<Token>& tokens);

// Identifies the running program: a hash of its build id, or of its code if it has none. The first
// call costs up to some milliseconds.
uint32_t BuildHash();

// FNV-1a.
uint32_t Hash(std::string_view bytes);

}  // namespace jacquard::call

#endif  // JACQUARD_JACQUARD_TOKEN_H_
