// What the variables of a program are called.
#ifndef JACQUARD_SIM_VARIABLES_H_
#define JACQUARD_SIM_VARIABLES_H_

#include <string>

namespace jacquard {

// The variable that lies at `address`, a global one or one of a simulated thread: "table+8",
// "thread 1's count"; empty if none is known. In an execution, or of the last one. Costs as
// VariableName does (symbolize.h).
std::string NameOfVariable(const void* address);

}  // namespace jacquard

#endif  // JACQUARD_SIM_VARIABLES_H_
