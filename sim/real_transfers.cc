// Calls that move bytes between two files, or between a pipe and memory, within the kernel. For
// the simulated thread they read, and then write: a step each (descriptors.h).
#include <fcntl.h>
#include <sys/sendfile.h>
#include <sys/uio.h>

#include "sim/descriptors.h"
#include "sim/engine.h"
#include "sim/real.h"
#include "sim/real_output.h"
#include "sim/real_waits.h"
#include "sim/sync.h"

namespace jacquard::sim {
namespace {

constexpr auto kGoesOn = DescriptorCall::Interruption::kIsNone;

// Whatever the program says: what would wait is tried again.
unsigned WithoutWait(unsigned flags) {
  return engine.Simulates() ? flags | SPLICE_F_NONBLOCK : flags;
}

// The call is for `out`, to which `move(file)` moves.
template <class Move>
ssize_t Put(DescriptorCall& call, int out, const char* what, uintptr_t pc, const Move& move) {
  if (NobodyReads(out)) return FailToWrite(pc);
  if (!MayWait(out)) return move(out);
  Attempt attempt;
  call.AwaitOne(what, Engine::kNoDeadline, kGoesOn, [&](int file) {
    return attempt.Succeeds([&] {
      const NonBlocking does_not_wait(file);
      return move(file);
    });
  });
  return attempt.Result();
}

// `move(from, to)` moves from `in` to `out`.
template <class Move>
ssize_t Transfer(int in, int out, const char* what, uintptr_t pc, const Move& move) {
  if (!engine.Simulates()) return move(in, out);
  InputCall input(in, what, pc);
  return input.Return([&] {
    DescriptorCall output(out, DescriptorCall::Effect::kGives, pc);
    const ssize_t moved = Put(output, out, what, pc, [&](int to) {
      const NonBlocking does_not_wait(input.file());  // others may have taken what there was
      return move(input.file(), to);
    });
    input.Take();
    output.Give();
    return moved;
  });
}

ssize_t MoveMemory(int file, const iovec* parts, size_t count, unsigned flags, uintptr_t pc) {
  constexpr auto kWhat = "a vmsplice that waits";
  const auto move = [=](int same) {
    return JACQUARD_REAL(vmsplice)(same, parts, count, WithoutWait(flags));
  };
  if (!engine.Simulates()) return move(file);
  if ((JACQUARD_REAL(fcntl)(file, F_GETFL) & O_ACCMODE) != O_RDONLY) {
    DescriptorCall output(file, DescriptorCall::Effect::kGives, pc);
    return Put(output, file, kWhat, pc, move);
  }
  InputCall input(file, kWhat, pc);
  return input.Return([&] { return move(input.file()); });
}

}  // namespace
}  // namespace jacquard::sim

using jacquard::sim::Transfer;
using jacquard::sim::WithoutWait;

extern "C" {

ssize_t splice(int in, off64_t* in_place, int out, off64_t* out_place, size_t size,
               unsigned flags) {
  return Transfer(in, out, "a splice that waits", JACQUARD_CALLER, [=](int from, int to) {
    return JACQUARD_REAL(splice)(from, in_place, to, out_place, size, WithoutWait(flags));
  });
}

ssize_t tee(int in, int out, size_t size, unsigned flags) {
  return Transfer(in, out, "a tee that waits", JACQUARD_CALLER, [=](int from, int to) {
    return JACQUARD_REAL(tee)(from, to, size, WithoutWait(flags));
  });
}

ssize_t sendfile(int out, int in, off_t* place, size_t size) noexcept {
  return Transfer(in, out, "a sendfile that waits", JACQUARD_CALLER,
                  [=](int from, int to) { return JACQUARD_REAL(sendfile)(to, from, place, size); });
}

ssize_t sendfile64(int out, int in, off64_t* place, size_t size) noexcept {
  return Transfer(in, out, "a sendfile that waits", JACQUARD_CALLER, [=](int from, int to) {
    return JACQUARD_REAL(sendfile64)(to, from, place, size);
  });
}

ssize_t vmsplice(int file, const iovec* parts, size_t count, unsigned flags) {
  return jacquard::sim::MoveMemory(file, parts, count, flags, JACQUARD_CALLER);
}

}  // extern "C"
