#include "jacquard/silence.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <iostream>

#include "sim/message.h"
#include "sim/own_descriptors.h"

namespace jacquard::call {
namespace {

void FlushAll() {
  std::cout.flush();
  std::cerr.flush();
  std::clog.flush();
  std::fflush(nullptr);
}

}  // namespace

Silence::Silence(bool wanted) {
  if (!wanted) return;
  nowhere_ = sim::MoveAbove(open("/dev/null", O_WRONLY | O_CLOEXEC));
  if (nowhere_ < 0) return;
  for (int i = 0; i < kStreams; ++i)
    saved_[i] = sim::MoveAbove(fcntl(STDOUT_FILENO + i, F_DUPFD_CLOEXEC, 3));
  if (saved_[1] >= 0) sim::SetMessageDescriptor(saved_[1]);
  Restore();
}

Silence::~Silence() {
  if (nowhere_ < 0) return;
  Lift();
  sim::SetMessageDescriptor(STDERR_FILENO);
  for (const int saved : saved_) {
    if (saved >= 0) close(saved);
  }
  close(nowhere_);
}

void Silence::Lift() {
  if (nowhere_ < 0) return;
  FlushAll();
  for (int i = 0; i < kStreams; ++i) {
    if (saved_[i] >= 0) dup2(saved_[i], STDOUT_FILENO + i);
  }
}

void Silence::Restore() {
  if (nowhere_ < 0) return;
  FlushAll();
  for (int i = 0; i < kStreams; ++i) {
    if (saved_[i] >= 0) dup2(nowhere_, STDOUT_FILENO + i);
  }
}

}  // namespace jacquard::call
