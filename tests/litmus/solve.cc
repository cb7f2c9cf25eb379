// Prints what each program of a table may do by the axioms, one JSON object a line: for filling in
// `allowed` and `racy` of a new entry.
#include <cstdio>
#include <exception>
#include <nlohmann/json.hpp>

#include "tests/litmus/program.h"
#include "tests/litmus/reference.h"

int main(int argc, char** argv) {
  using jacquard::litmus::Program;
  if (argc < 2) {
    std::fputs("usage: solve FILE.json...\n", stderr);
    return 2;
  }
  try {
    for (int i = 1; i < argc; ++i) {
      for (const Program& program : jacquard::litmus::ReadTable(argv[i])) {
        const auto result = jacquard::litmus::SolveByAxioms(program);
        const nlohmann::json line = {
            {"name", program.name}, {"racy", result.racy}, {"allowed", result.outcomes}};
        std::puts(line.dump().c_str());
      }
    }
  } catch (const std::exception& error) {
    std::fprintf(stderr, "solve: %s\n", error.what());
    return 2;
  }
  return 0;
}
