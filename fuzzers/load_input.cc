#include "fuzzers/load_input.h"

#include "fuzzers/text.h"

namespace jacquard::fuzzers {
namespace {

std::string_view AsText(const Bytes& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

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

}  // namespace jacquard::fuzzers
