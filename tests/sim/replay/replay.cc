// replay find PROGRAM COUNT: finds COUNT failing inputs of a program. A line for each: the
// fingerprint of its trace, the
//   signature with underscores for spaces, and the exceptions as gap:choice.
// replay run PROGRAM EXCEPTION...: executes the program once with these and prints the same line.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "sim/byte_string.h"
#include "sim/execute.h"
#include "sim/random_walk.h"
#include "tests/sim/replay/programs.h"

namespace jacquard {
namespace {

void ExecuteAndPrint(Program& program, const std::vector<Exception>& exceptions,
                     const std::vector<Exception>& of_memory) {
  ByteString strategy;
  strategy.Set(exceptions, of_memory);
  strategy.BeginExecution();
  Trace trace;
  const Verdict verdict = Execute(program, strategy, {}, &trace);
  std::string signature = verdict.passed() ? "pass" : verdict.signature;
  for (char& c : signature) c = c == ' ' ? '_' : c;
  std::printf("%016llx %s", static_cast<unsigned long long>(trace.Fingerprint()),
              signature.c_str());
  for (const Exception& exception : exceptions)
    std::printf(" %u:%u", exception.gap, exception.choice);
  for (const Exception& exception : of_memory)
    std::printf(" m%u:%u", exception.gap, exception.choice);
  std::printf("\n");
}

int Find(Program& program, int count) {
  constexpr int kMostExecutions = 100'000;
  RandomWalk walk(7);
  ChoiceRecorder recorder(walk);
  int found = 0;
  for (int i = 0; found < count; ++i) {
    if (i == kMostExecutions) return 3;
    recorder.BeginExecution();
    if (Execute(program, recorder, {}).passed()) continue;
    ExecuteAndPrint(program, recorder.exceptions(), recorder.memory_exceptions());
    ++found;
  }
  return 0;
}

int Main(int count, char** arguments) {
  if (count < 3) return 2;
  for (const NamedProgram& named : kPrograms) {
    if (std::strcmp(named.name, arguments[2]) != 0) continue;
    Closure program(named.body);
    if (std::strcmp(arguments[1], "find") == 0) return Find(program, std::atoi(arguments[3]));
    std::vector<Exception> exceptions;
    std::vector<Exception> of_memory;
    for (int i = 3; i < count; ++i) {
      const bool is_of_memory = arguments[i][0] == 'm';
      Exception exception;
      std::sscanf(arguments[i] + is_of_memory, "%u:%u", &exception.gap, &exception.choice);
      (is_of_memory ? of_memory : exceptions).push_back(exception);
    }
    ExecuteAndPrint(program, exceptions, of_memory);
    return 0;
  }
  return 2;
}

}  // namespace
}  // namespace jacquard

int main(int count, char** arguments) { return jacquard::Main(count, arguments); }
