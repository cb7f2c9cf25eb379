#include "fuzzers/load_input.h"

#include <vector>

#include "fuzzers/text.h"

namespace jacquard::fuzzers {

std::string_view AsText(std::span<const uint8_t> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

bool IsTextFile(const std::string& path, const Bytes& bytes) {
  return path.ends_with(kTextExtension) || LooksLikeText(AsText(bytes));
}

std::string ParseFile(const std::string& path, const Bytes& bytes, const Codec& codec,
                      Input* input) {
  const auto error = ParseText(AsText(bytes), codec, *input);
  return error ? error->ToString(path) : std::string();
}

std::string LoadInput(const std::string& path, const Codec& codec, Input* input) {
  Bytes bytes;
  if (std::string problem = ReadFile(path, &bytes); !problem.empty()) return problem;
  if (IsTextFile(path, bytes)) return ParseFile(path, bytes, codec, input);
  std::string problem;
  if (!Codec::Recognise(bytes, &problem)) return path + ": " + problem;
  codec.Decode(bytes, *input);
  return {};
}

std::string FileThatBegins(std::span<const uint8_t> bytes, std::span<const std::string> arguments) {
  std::vector<std::string> files;
  for (const std::string& argument : arguments.subspan(1)) {
    if (!argument.starts_with('-')) (void)AddFiles(argument, files);
  }
  for (const std::string& file : files) {
    Bytes content;
    if (ReadFile(file, &content).empty() && AsText(content).starts_with(AsText(bytes))) return file;
  }
  return {};
}

}  // namespace jacquard::fuzzers
