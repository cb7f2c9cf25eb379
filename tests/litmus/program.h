// A litmus program: a few threads, a few operations each, and the outcomes that the memory model
// allows.
//
// The table format is described in the `comment` of visible.json. Here a thread is a flat list: an
// `if` becomes a branch that jumps over its body.
#ifndef JACQUARD_TESTS_LITMUS_PROGRAM_H_
#define JACQUARD_TESTS_LITMUS_PROGRAM_H_

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "sim/step.h"

namespace jacquard::litmus {

enum class OperationKind : uint8_t {
  kStore,
  kLoad,
  kExchange,
  kFetchAdd,
  kCompareExchangeStrong,
  kCompareExchangeWeak,
  kFence,
  kPlainStore,
  kPlainLoad,
  kBranch,  // goes on at `target` unless register `reg` holds `expected`
};

struct Operation {
  OperationKind kind = OperationKind::kFence;
  int location = -1;
  MemoryOrder order = MemoryOrder::kRelaxed;
  MemoryOrder failure = MemoryOrder::kRelaxed;
  int64_t value = 0;  // stored, added, or desired
  int64_t expected = 0;
  int reg = -1;  // gets the value read; -1: nobody wants it
  int ok = -1;   // gets 1 if a compare-exchange succeeded, 0 if not
  int target = 0;
};

// One thing that is looked at in the end: a register of a thread, or with thread -1 the last value
// of a location.
struct Observation {
  int thread = -1;
  int index = 0;
};

using Outcome = std::vector<int64_t>;

struct Program {
  std::string name;
  std::vector<std::string> locations;
  std::vector<int64_t> initial;  // by location
  std::vector<bool> plain;       // by location: accessed by plain operations
  std::vector<std::vector<Operation>> threads;
  std::vector<int> registers;  // by thread: how many
  std::vector<Observation> observe;

  bool racy = false;  // some execution has a data race; then no outcome counts
  // What is allowed. Usually one set; two where RC11 and the text of C++20 disagree, and either is
  // right.
  std::vector<std::set<Outcome>> allowed;
};

// A register that was never written holds this.
inline constexpr int64_t kUnwritten = -1;

// Reads a table. Throws std::runtime_error (or the JSON library's exceptions, which derive from
// std::exception) if the text is not a table.
std::vector<Program> ParseTable(const std::string& text);

// As above, from a file.
std::vector<Program> ReadTable(const std::string& path);

// "T:reg" or the location's name, as the table writes it; registers by number.
std::string OutcomeText(const Outcome& outcome);

// The program in a notation for people: threads separated by " || ".
std::string ProgramText(const Program& program);

}  // namespace jacquard::litmus

#endif  // JACQUARD_TESTS_LITMUS_PROGRAM_H_
