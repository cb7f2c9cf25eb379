// The codec: byte strings to inputs and back.
//
// Version 2 is a version byte and any number of records of two bytes:
//
//   00tttttt cccccccc   thread t calls operation c
//   01cccccc gggggggg   exception of memory, as below, among the picks of the memory model
//   1ccccccc gggggggg   exception: g benign picks, then alternative 1 + c; 255 = 255 picks, go on
//
// The format is final: other ways to address exceptions find less (docs/guidance.md). Version 1 had
// no exceptions of memory, and one more bit for t; it still decodes, and is encoded as version 2.
//
// t is taken modulo the target's largest number of threads. c counts the *calls* of the target: its
// operations with each value of their arguments, in the order of the table, the last argument
// fastest; it is taken modulo their number.
//
// There is no separator and no length: each record says what it is. So every byte string decodes,
// and when mutation deletes, repeats or moves a record, all others keep their meaning. Only the
// order within one thread, and among the exceptions of each kind, counts. What is beyond a limit of
// fuzzers/input.h is ignored, and so are half a record at the end and picks that no exception
// follows.
//
// A byte string with another version byte, and the empty one, decode to the empty input, which
// fails hardly ever. libFuzzer makes one such byte string, a newline, which is recognised as an
// input when it is replayed. A text (text.h) begins with another byte as well, and is compiled
// before it would come here.
#ifndef JACQUARD_FUZZERS_CODEC_H_
#define JACQUARD_FUZZERS_CODEC_H_

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "fuzzers/input.h"
#include "fuzzers/scenario_type.h"

namespace jacquard::fuzzers {

inline constexpr uint8_t kVersion = 2;
inline constexpr uint8_t kFirstVersion = 1;
constexpr bool IsKnownVersion(uint8_t version) {
  return version >= kFirstVersion && version <= kVersion;
}

// What kind of record begins with a byte: its upper bits. A call has neither.
inline constexpr uint8_t kExceptionBit = 0x80;
inline constexpr uint8_t kMemoryBit = 0x40;  // a call's if kExceptionBit is set

// How bytes are to be read for one scenario class. Immutable, so all its functions are thread-safe.
class Codec {
 public:
  // The largest number of calls of a target.
  static constexpr int kMaxCalls = 256;

  // What is wrong with a table of operations, for its author; "" if it can be used.
  static std::string Problem(const ScenarioType& type);

  // `type` must be without problems and outlive the codec.
  explicit Codec(const ScenarioType& type);

  const ScenarioType& type() const { return type_; }
  // The target's name as texts have it: "vma_lock".
  const std::string& name() const { return name_; }

  // Never fails. Costs about a nanosecond per byte; allocates nothing.
  void Decode(std::span<const uint8_t> bytes, Input& input) const;

  // The canonical bytes: operations by thread, then exceptions of memory, then others.
  // Decode(Encode(input)) == input. Gaps and choices must be within the limits of fuzzers/input.h.
  std::vector<uint8_t> Encode(const Input& input) const;

  // Whether `bytes` may be an input at all: empty, of a known version, or what libFuzzer begins
  // with, a newline, which a run executes as the empty input. If not, `why` says so.
  static bool Recognise(std::span<const uint8_t> bytes, std::string* why);

  // Forces `input` to a shape, for benchmarks: exactly `threads` threads with `operations` each,
  // cut or filled up with calls that follow from what is there.
  void Reshape(int threads, int operations, Input& input) const;

  int call_count() const { return static_cast<int>(calls_.size()); }
  const Call& CallAt(int number) const { return calls_[number]; }

 private:
  int NumberOf(const Call& call) const;

  const ScenarioType& type_;
  std::string name_;
  std::vector<Call> calls_;                  // by number
  std::vector<int> first_number_;            // of each operation
  std::array<Call, 256> call_of_byte_;       // calls_[byte % calls]
  std::array<uint8_t, 128> thread_of_byte_;  // byte % threads
};

// "vma_lock" for "my::VmaLockScenario".
std::string TargetName(const ScenarioType& type);

}  // namespace jacquard::fuzzers

#endif  // JACQUARD_FUZZERS_CODEC_H_
