#include "sim/variables.h"

#include "sim/execute.h"
#include "sim/symbolize.h"

namespace jacquard {

std::string NameOfVariable(const void* address) {
  if (std::string name = NameOfSemaphore(address); !name.empty()) return name;
  const ThreadLocal own = FindThreadLocal(address);
  if (own.thread < 0) return VariableName(address);
  const std::string name = ThreadLocalName(own.module, own.place);
  return name.empty() ? name : "thread " + std::to_string(own.thread) + "'s " + name;
}

}  // namespace jacquard
