// Programs that fail in some executions, and that an execution with other addresses would take
// other ways through.
#ifndef JACQUARD_TESTS_SIM_REPLAY_PROGRAMS_H_
#define JACQUARD_TESTS_SIM_REPLAY_PROGRAMS_H_

namespace jacquard {

struct NamedProgram {
  const char* name;
  void (*body)();  // to be run as thread 0
};

extern const NamedProgram kPrograms[4];

}  // namespace jacquard

#endif  // JACQUARD_TESTS_SIM_REPLAY_PROGRAMS_H_
