#include "jacquard/token.h"

#include <elf.h>
#include <link.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>

namespace jacquard::call {
namespace {

constexpr std::string_view kPrefix = "J1";
constexpr std::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

// ---- bytes

class Writer {
 public:
  void Number(uint64_t number) {
    for (; number >= 0x80; number >>= 7) bytes_ += static_cast<char>(number | 0x80);
    bytes_ += static_cast<char>(number);
  }
  void Word(uint32_t word) {
    for (int i = 0; i < 4; ++i) bytes_ += static_cast<char>(word >> (8 * i));
  }
  void Exceptions(const std::vector<Exception>& exceptions) {
    Number(exceptions.size());
    for (const Exception& exception : exceptions) {
      Number(exception.gap);
      Number(exception.choice);
    }
  }
  const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

// Reads zeros once something is wrong.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes) {}

  uint64_t Number() {
    uint64_t number = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      const uint8_t byte = Byte();
      number |= uint64_t{byte & 0x7Fu} << shift;
      if (byte < 0x80) return number;
    }
    good_ = false;
    return 0;
  }
  uint32_t Word() {
    uint32_t word = 0;
    for (int i = 0; i < 4; ++i) word |= uint32_t{Byte()} << (8 * i);
    return word;
  }
  std::vector<Exception> Exceptions() {
    std::vector<Exception> exceptions;
    const uint64_t count = Number();
    if (count > bytes_.size()) good_ = false;
    for (uint64_t i = 0; i < count && good_; ++i) {
      const uint64_t gap = Number();
      const uint64_t choice = Number();
      exceptions.push_back({static_cast<uint32_t>(gap), static_cast<uint32_t>(choice)});
    }
    return exceptions;
  }
  // Whether all was there, and nothing else.
  bool AtGoodEnd() const { return good_ && bytes_.empty(); }

 private:
  uint8_t Byte() {
    if (bytes_.empty()) {
      good_ = false;
      return 0;
    }
    const auto byte = static_cast<uint8_t>(bytes_.front());
    bytes_.remove_prefix(1);
    return byte;
  }

  std::string_view bytes_;
  bool good_ = true;
};

// ---- the options: one bit for each yes or no, numbers where they are not the default

enum OptionBit : uint64_t {
  kScBit = 1,
  kNoRacesBit = 2,
  kNoLeaksBit = 4,
  kAllocationsFailBit = 8,
  kHistoryBit = 16,
  kStepsBit = 32,
  kQuarantineBit = 64,
  kSpuriousBit = 128,
  kExitsFreeBit = 256,
  kExitsZeroBit = 512,
  kTimeOutsBit = 1024,
  kNoWakeOrderBit = 2048,
  kNoneOutlivesBit = 4096,
  kNoLockOrderBit = 8192,
  kLibraryBugsBit = 16384,
  kUnfairStepsBit = 32768,
  kNoAnnotationsBit = 65536,
  kNoExitFunctionsBit = 131072,
  kConstructorsBit = 262144,
  kAllBits = 524287,
};

void WriteOptions(const ExecutionOptions& options, Writer& writer) {
  const ExecutionOptions defaults;
  uint64_t bits = 0;
  if (options.memory == MemoryMode::kSc) bits |= kScBit;
  if (!options.races) bits |= kNoRacesBit;
  if (!options.check_leaks) bits |= kNoLeaksBit;
  if (options.allocations_may_fail) bits |= kAllocationsFailBit;
  if (options.spurious_wake_ups != defaults.spurious_wake_ups) bits |= kSpuriousBit;
  if (options.time_outs != defaults.time_outs) bits |= kTimeOutsBit;
  if (!options.wake_order) bits |= kNoWakeOrderBit;
  if (!options.detached_threads_may_outlive) bits |= kNoneOutlivesBit;
  if (!options.lock_order) bits |= kNoLockOrderBit;
  if (options.library_bugs) bits |= kLibraryBugsBit;
  if (!options.annotations) bits |= kNoAnnotationsBit;
  if (!options.exit_functions) bits |= kNoExitFunctionsBit;
  if (options.constructors) bits |= kConstructorsBit;
  if (options.exits == ExitMode::kIsFree || options.exits == ExitMode::kIsRealIfAlone)
    bits |= kExitsFreeBit;
  if (options.exits == ExitMode::kMustBeZero) bits |= kExitsZeroBit;
  if (options.max_history != defaults.max_history) bits |= kHistoryBit;
  if (options.max_steps != defaults.max_steps) bits |= kStepsBit;
  if (options.unfair_steps != defaults.unfair_steps) bits |= kUnfairStepsBit;
  if (options.quarantine != defaults.quarantine) bits |= kQuarantineBit;
  writer.Number(bits);
  if ((bits & kHistoryBit) != 0) writer.Number(options.max_history);
  if ((bits & kStepsBit) != 0) writer.Number(options.max_steps);
  if ((bits & kQuarantineBit) != 0) writer.Number(options.quarantine);
  if ((bits & kSpuriousBit) != 0) writer.Number(options.spurious_wake_ups);
  if ((bits & kTimeOutsBit) != 0) writer.Number(options.time_outs);
  if ((bits & kUnfairStepsBit) != 0) writer.Number(options.unfair_steps);
}

// False if there is an option that this version does not know.
bool ReadOptions(Reader& reader, ExecutionOptions& options) {
  options = {};
  const uint64_t bits = reader.Number();
  if ((bits & ~uint64_t{kAllBits}) != 0) return false;
  options.memory = (bits & kScBit) != 0 ? MemoryMode::kSc : MemoryMode::kRc11;
  options.races = (bits & kNoRacesBit) == 0;
  options.check_leaks = (bits & kNoLeaksBit) == 0;
  options.allocations_may_fail = (bits & kAllocationsFailBit) != 0;
  options.wake_order = (bits & kNoWakeOrderBit) == 0;
  options.detached_threads_may_outlive = (bits & kNoneOutlivesBit) == 0;
  options.lock_order = (bits & kNoLockOrderBit) == 0;
  options.library_bugs = (bits & kLibraryBugsBit) != 0;
  options.annotations = (bits & kNoAnnotationsBit) == 0;
  options.exit_functions = (bits & kNoExitFunctionsBit) == 0;
  options.constructors = (bits & kConstructorsBit) != 0;
  if ((bits & kExitsFreeBit) != 0) options.exits = ExitMode::kIsFree;
  if ((bits & kExitsZeroBit) != 0) options.exits = ExitMode::kMustBeZero;
  if ((bits & kHistoryBit) != 0) options.max_history = static_cast<uint32_t>(reader.Number());
  if ((bits & kStepsBit) != 0) options.max_steps = reader.Number();
  if ((bits & kQuarantineBit) != 0) options.quarantine = reader.Number();
  if ((bits & kSpuriousBit) != 0)
    options.spurious_wake_ups = static_cast<uint32_t>(reader.Number());
  if ((bits & kTimeOutsBit) != 0) options.time_outs = static_cast<uint32_t>(reader.Number());
  if ((bits & kUnfairStepsBit) != 0) options.unfair_steps = reader.Number();
  return true;
}

// ---- base64url (RFC 4648, section 5), without padding

std::string Encode(std::string_view bytes) {
  std::string text;
  uint32_t buffer = 0;
  int bits = 0;
  for (const char byte : bytes) {
    buffer = (buffer << 8) | static_cast<uint8_t>(byte);
    for (bits += 8; bits >= 6; bits -= 6) text += kAlphabet[(buffer >> (bits - 6)) & 63];
  }
  if (bits != 0) text += kAlphabet[(buffer << (6 - bits)) & 63];
  return text;
}

// What is wrong; "" if nothing is.
std::string Decode(std::string_view text, std::string& bytes) {
  uint32_t buffer = 0;
  int bits = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const size_t value = kAlphabet.find(text[i]);
    if (value == std::string_view::npos) {
      return "character " + std::to_string(kPrefix.size() + i + 1) +
             " is none that a token can have";
    }
    buffer = (buffer << 6) | static_cast<uint32_t>(value);
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    bytes += static_cast<char>(buffer >> bits);
  }
  if (bits == 6 || (buffer & ((1u << bits) - 1)) != 0)
    return "its end is missing, or there is something behind it";
  return {};
}

// ---- the build

// The executable's build id, else its code; the first of all modules is the executable.
int FindIdentity(dl_phdr_info* info, size_t /*size*/, void* data) {
  auto& hash = *static_cast<uint32_t*>(data);
  for (int i = 0; i < info->dlpi_phnum; ++i) {
    const ElfW(Phdr)& header = info->dlpi_phdr[i];
    if (header.p_type != PT_NOTE) continue;
    const char* at = reinterpret_cast<const char*>(info->dlpi_addr + header.p_vaddr);
    const char* const end = at + header.p_memsz;
    while (static_cast<size_t>(end - at) >= sizeof(ElfW(Nhdr))) {
      ElfW(Nhdr) note;
      std::memcpy(&note, at, sizeof(note));
      const char* const name = at + sizeof(note);
      const char* const description = name + ((note.n_namesz + 3) & ~3u);
      at = description + ((note.n_descsz + 3) & ~3u);
      if (note.n_type != NT_GNU_BUILD_ID || note.n_namesz != 4 || std::memcmp(name, "GNU", 4) != 0)
        continue;
      hash = Hash({description, note.n_descsz});
      return 1;
    }
  }
  for (int i = 0; i < info->dlpi_phnum; ++i) {
    const ElfW(Phdr)& header = info->dlpi_phdr[i];
    if (header.p_type != PT_LOAD || (header.p_flags & PF_X) == 0) continue;
    hash ^= Hash({reinterpret_cast<const char*>(info->dlpi_addr + header.p_vaddr), header.p_memsz});
  }
  return 1;
}

}  // namespace

uint32_t Hash(std::string_view bytes) {
  uint32_t hash = 2166136261;
  for (const char byte : bytes) hash = (hash ^ static_cast<uint8_t>(byte)) * 16777619;
  return hash;
}

uint32_t BuildHash() {
  static const uint32_t hash = [] {
    uint32_t result = 0;
    dl_iterate_phdr(FindIdentity, &result);
    return result;
  }();
  return hash;
}

std::string FormatToken(const Token& token) {
  Writer writer;
  writer.Word(token.build);
  writer.Word(token.body);
  WriteOptions(token.options, writer);
  writer.Exceptions(token.exceptions);
  writer.Exceptions(token.memory_exceptions);
  const uint32_t checksum = Hash(writer.bytes());
  writer.Word(checksum);
  return std::string(kPrefix) + Encode(writer.bytes());
}

std::string ParseToken(std::string_view text, Token& token) {
  if (!text.starts_with(kPrefix))
    return "it does not begin with \"" + std::string(kPrefix) + "\", as a token does";
  std::string bytes;
  if (std::string problem = Decode(text.substr(kPrefix.size()), bytes); !problem.empty())
    return problem;
  constexpr size_t kChecksumSize = 4;
  if (bytes.size() < kChecksumSize) return "it is too short: something is missing";
  const std::string_view content(bytes.data(), bytes.size() - kChecksumSize);
  Reader checksum(std::string_view(bytes).substr(content.size()));
  if (checksum.Word() != Hash(content))
    return "its checksum is wrong: a part is missing or has been changed";
  Reader reader(content);
  token.build = reader.Word();
  token.body = reader.Word();
  if (!ReadOptions(reader, token.options)) return "it is of a newer version of Jacquard";
  token.exceptions = reader.Exceptions();
  token.memory_exceptions = reader.Exceptions();
  if (!reader.AtGoodEnd()) return "it is of another version of Jacquard";
  return {};
}

std::string ParseTokens(std::string_view text, std::vector<Token>& tokens) {
  for (;;) {
    const size_t end = std::min(text.find('+'), text.size());
    std::string problem = ParseToken(text.substr(0, end), tokens.emplace_back());
    if (!problem.empty() && tokens.size() > 1)
      problem = "part " + std::to_string(tokens.size()) + ": " + problem;
    if (!problem.empty() || end == text.size()) return problem;
    text.remove_prefix(end + 1);
  }
}

}  // namespace jacquard::call
