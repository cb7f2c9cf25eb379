// The codec: tables made once from the scenario class, and a loop over records.
#include "fuzzers/codec.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <set>
#include <string_view>

namespace jacquard::fuzzers {
namespace {

constexpr uint8_t kCarryOn = 255;

// What libFuzzer executes first where it has no seeds. It decodes to the empty input, which fails
// where the scenario does so without any operation, or has been filled up by --shape.
constexpr uint8_t kEngineFirstInput[] = {'\n'};

// Gaps of 255 and more take several records.
void EncodeException(uint8_t kind, const Exception& exception, std::vector<uint8_t>& bytes) {
  uint32_t gap = exception.gap;
  for (; gap >= kCarryOn; gap -= kCarryOn) {
    bytes.push_back(kind);
    bytes.push_back(kCarryOn);
  }
  bytes.push_back(static_cast<uint8_t>(kind | exception.choice));
  bytes.push_back(static_cast<uint8_t>(gap));
}

bool IsWord(const char* text) {
  if (text == nullptr || !(std::islower(static_cast<unsigned char>(*text)))) return false;
  for (const char* p = text; *p != '\0'; ++p) {
    const auto c = static_cast<unsigned char>(*p);
    if (!std::islower(c) && !std::isdigit(c) && c != '_') return false;
  }
  return true;
}

}  // namespace

bool Input::operator==(const Input& other) const {
  if (threads_ != other.threads_) return false;
  for (int t = 0; t < threads_; ++t) {
    if (!std::ranges::equal(calls(t), other.calls(t))) return false;
  }
  return std::ranges::equal(exceptions(), other.exceptions()) &&
         std::ranges::equal(memory_exceptions(), other.memory_exceptions());
}

std::string TargetName(const ScenarioType& type) {
  if (type.name != nullptr) return type.name;
  std::string_view name = type.class_name;
  if (const size_t colon = name.rfind(':'); colon != name.npos) name.remove_prefix(colon + 1);
  if (name.size() > 8 && name.ends_with("Scenario")) name.remove_suffix(8);
  std::string result;
  for (const char c : name) {
    const auto u = static_cast<unsigned char>(c);
    if (std::isupper(u) && !result.empty()) result += '_';
    result += static_cast<char>(std::tolower(u));
  }
  return result;
}

std::string Codec::Problem(const ScenarioType& type) {
  const std::string word = "lower-case letters, digits and _";
  if (!IsWord(TargetName(type).c_str())) {
    return fmt::format("kName \"{}\" must be of {}", TargetName(type), word);
  }
  if (type.max_threads < 1 || type.max_threads > kMaxInputThreads) {
    return fmt::format("kMaxThreads is {}; 1 to {} are allowed", type.max_threads,
                       kMaxInputThreads);
  }
  if (type.min_threads < 1 || type.min_threads > type.max_threads) {
    return fmt::format("kMinThreads is {}; 1 to kMaxThreads ({}) are allowed", type.min_threads,
                       type.max_threads);
  }
  if (type.operation_count == 0) return "Operations() is empty";
  std::set<std::string> names;
  int64_t calls = 0;
  for (int i = 0; i < type.operation_count; ++i) {
    const OperationType& operation = type.operations[i];
    if (!IsWord(operation.name)) {
      return fmt::format("the name of operation {} must be of {}", i, word);
    }
    if (!names.insert(operation.name).second) {
      return fmt::format("two operations are called \"{}\"", operation.name);
    }
    int64_t product = 1;
    for (int a = 0; a < operation.arity; ++a) {
      const Argument& argument = operation.arguments[a];
      if (!IsWord(argument.name)) {
        return fmt::format("{}: the name of argument {} must be of {}", operation.name, a, word);
      }
      for (int b = 0; b < a; ++b) {
        if (std::string_view(argument.name) == operation.arguments[b].name) {
          return fmt::format("{}: two arguments are called \"{}\"", operation.name, argument.name);
        }
      }
      if (argument.count < 1 || argument.count > kMaxCalls) {
        return fmt::format("{}: argument {} has {} values; 1 to {} are allowed", operation.name,
                           argument.name, argument.count, kMaxCalls);
      }
      product *= argument.count;
    }
    calls += product;
  }
  if (calls > kMaxCalls) {
    return fmt::format(
        "operations with all values of their arguments make {} calls; at most {} are "
        "allowed",
        calls, kMaxCalls);
  }
  return {};
}

Codec::Codec(const ScenarioType& type) : type_(type), name_(TargetName(type)) {
  for (int i = 0; i < type.operation_count; ++i) {
    const OperationType& operation = type.operations[i];
    first_number_.push_back(call_count());
    // Missing arguments have one value, 0. The last argument is fastest.
    const int a = operation.arity > 0 ? operation.arguments[0].count : 1;
    const int b = operation.arity > 1 ? operation.arguments[1].count : 1;
    const int c = operation.arity > 2 ? operation.arguments[2].count : 1;
    for (int n = 0; n < a * b * c; ++n) {
      calls_.push_back({static_cast<uint8_t>(i),
                        {static_cast<uint8_t>(n / (b * c)), static_cast<uint8_t>(n / c % b),
                         static_cast<uint8_t>(n % c)}});
    }
  }
  for (int byte = 0; byte < 256; ++byte) call_of_byte_[byte] = calls_[byte % call_count()];
  for (int byte = 0; byte < 128; ++byte) {
    thread_of_byte_[byte] = static_cast<uint8_t>(byte % type.max_threads);
  }
}

int Codec::NumberOf(const Call& call) const {
  const OperationType& operation = type_.operations[call.operation];
  int n = 0;
  for (int i = 0; i < operation.arity; ++i) {
    n = n * operation.arguments[i].count + call.arguments[i];
  }
  return first_number_[call.operation] + n;
}

void Codec::Decode(std::span<const uint8_t> bytes, Input& input) const {
  input.Clear(type_.min_threads);
  if (bytes.empty() || !IsKnownVersion(bytes[0])) return;
  const bool has_memory = bytes[0] != kFirstVersion;
  uint32_t gap = 0;
  uint32_t memory_gap = 0;
  for (size_t i = 1; i + 1 < bytes.size(); i += 2) {
    const uint8_t head = bytes[i];
    const uint8_t tail = bytes[i + 1];
    if ((head & kExceptionBit) != 0) {
      gap = std::min(gap + tail, kMaxGap);
      if (tail == kCarryOn) continue;
      input.AddException({.gap = gap, .choice = head & kMaxChoice});
      gap = 0;
    } else if (has_memory && (head & kMemoryBit) != 0) {
      memory_gap = std::min(memory_gap + tail, kMaxGap);
      if (tail == kCarryOn) continue;
      input.AddMemoryException({.gap = memory_gap, .choice = head & kMaxMemoryChoice});
      memory_gap = 0;
    } else {
      input.AddCall(thread_of_byte_[head], call_of_byte_[tail]);
    }
  }
}

std::vector<uint8_t> Codec::Encode(const Input& input) const {
  std::vector<uint8_t> bytes = {kVersion};
  for (int t = 0; t < input.threads(); ++t) {
    for (const Call& call : input.calls(t)) {
      bytes.push_back(static_cast<uint8_t>(t));
      bytes.push_back(static_cast<uint8_t>(NumberOf(call)));
    }
  }
  for (const Exception& exception : input.memory_exceptions())
    EncodeException(kMemoryBit, exception, bytes);
  for (const Exception& exception : input.exceptions())
    EncodeException(kExceptionBit, exception, bytes);
  return bytes;
}

bool Codec::Recognise(std::span<const uint8_t> bytes, std::string* why) {
  if (bytes.empty() || IsKnownVersion(bytes[0])) return true;
  if (std::ranges::equal(bytes, kEngineFirstInput)) return true;
  *why = fmt::format(
      "not an input of this target: neither a text (\"jacquard scenario 2 ...\") nor bytes of "
      "version 1 or {} (the first byte is {:#04x})",
      kVersion, bytes[0]);
  return false;
}

void Codec::Reshape(int threads, int operations, Input& input) const {
  // Filled up from a generator that is seeded by the calls there are: different inputs stay
  // different.
  uint32_t state = 1;
  for (int t = 0; t < input.threads(); ++t) {
    for (const Call& call : input.calls(t)) {
      state = (state ^ static_cast<uint32_t>(NumberOf(call))) * 0x01000193u;
    }
  }
  input.Trim(type_.min_threads, threads, operations);
  const auto count = static_cast<uint32_t>(calls_.size());
  for (int t = 0; t < threads; ++t) {
    for (auto i = static_cast<int>(input.calls(t).size()); i < operations; ++i) {
      state = state * 1664525u + 1013904223u;
      input.AddCall(t, calls_[(state >> 16) % count]);
    }
  }
}

}  // namespace jacquard::fuzzers
