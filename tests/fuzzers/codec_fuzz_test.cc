// The codec under libFuzzer: plain bytes, no simulation.
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "fuzzers/codec.h"
#include "fuzzers/mutator.h"
#include "fuzzers/text.h"
#include "tests/fuzzers/toy_scenario.h"

namespace jacquard::fuzzers {
namespace {

void Expect(bool condition, const char* what) {
  if (condition) return;
  std::fprintf(stderr, "%s\n", what);
  std::abort();
}

void TestOneInput(std::span<const uint8_t> bytes) {
  static const Codec codec(ScenarioTypeOf<ToyScenario>("ToyScenario"));
  Input input;
  Input back;

  // As an encoded input, whatever the first byte.
  std::vector<uint8_t> encoded(bytes.begin(), bytes.end());
  if (!encoded.empty()) encoded[0] = kVersion;
  codec.Decode(encoded, input);
  const std::vector<uint8_t> canonical = codec.Encode(input);
  codec.Decode(canonical, back);
  Expect(back == input, "decode(encode(input)) is not the input");
  Expect(codec.Encode(back) == canonical, "an encoding is not a fixed point");

  // Its text.
  const std::string text = FormatText(codec, input);
  Expect(!ParseText(text, codec, back), "a formatted text does not parse");
  Expect(back == input, "parse(format(input)) is not the input");

  // The bytes as a text: any may be wrong, but what parses has a canonical form.
  const std::string_view raw(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (!ParseText(raw, codec, input)) {
    const std::string formatted = FormatText(codec, input);
    Expect(!ParseText(formatted, codec, back) && back == input, "a text does not round-trip");
  }

  // A mutation keeps to the buffer and to the version.
  if (!bytes.empty()) {
    std::vector<uint8_t> buffer(bytes.begin(), bytes.end());
    const uint32_t seed = bytes[0] * 2u + 1;
    buffer.resize(buffer.size() + bytes.back() % 8u);
    const size_t size = Mutate(buffer.data(), bytes.size(), buffer.size(), seed, nullptr);
    Expect(size >= 1 && size <= buffer.size() && buffer[0] == kVersion, "a mutation went wrong");
  }
}

}  // namespace
}  // namespace jacquard::fuzzers

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  jacquard::fuzzers::TestOneInput({data, size});
  return 0;
}
