// Which processor a simulated thread runs on, for code that keeps something per processor. Such
// code has to be right wherever it runs, and whenever it is moved: each time it asks, the thread is
// where it was, or on the next one.
#include "sim/processors.h"

#include <sched.h>
#include <unistd.h>

#include <cstdint>

#include "sim/engine.h"
#include "sim/heap_check.h"
#include "sim/real.h"
#include "sim/sync.h"

namespace jacquard::sim {
namespace {

unsigned CountProcessors() {
  const long count = sysconf(_SC_NPROCESSORS_ONLN);
  return count > 0 ? static_cast<unsigned>(count) : 1;
}

unsigned FindProcessor() {
  static const unsigned count = CountProcessors();
  SimThread& me = *engine.current;
  me.spin.Reset();  // to the spin detector another round
  // Asked whatever the count, so that a search is the same on every machine.
  if (engine.Choose(PickKind::kData, 2) != 0) ++me.moves;
  return (static_cast<unsigned>(me.id) + me.moves) % count;
}

}  // namespace

int GetProcessor(unsigned* processor, unsigned* node, uintptr_t pc) {
  for (unsigned* const result : {processor, node}) {
    if (result == nullptr) continue;
    CheckAccess(result, sizeof(*result), AccessKind::kWrite, pc);
    engine.rollback.BeforeWrite(result, sizeof(*result));
  }
  if (processor != nullptr) *processor = FindProcessor();
  if (node != nullptr) *node = 0;
  return 0;
}

}  // namespace jacquard::sim

using jacquard::sim::engine;

extern "C" {

int sched_getcpu() noexcept {
  if (!engine.Simulates()) return JACQUARD_REAL(sched_getcpu)();
  return static_cast<int>(jacquard::sim::FindProcessor());
}

int getcpu(unsigned* processor, unsigned* node) noexcept {
  if (!engine.Simulates()) return JACQUARD_REAL(getcpu)(processor, node);
  return jacquard::sim::GetProcessor(processor, node, JACQUARD_CALLER);
}

}  // extern "C"
