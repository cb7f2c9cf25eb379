// Other processes and what they send: signals, messages, the end of a child. The simulation has
// none of them; see real_waits.cc. What is there already is taken, what would have to be waited for
// ends the execution as "unsupported".
#include <aio.h>
#include <errno.h>
#include <mqueue.h>
#include <poll.h>
#include <signal.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>

#include "sim/engine.h"
#include "sim/real.h"
#include "sim/real_waits.h"
#include "sim/unsupported.h"

namespace jacquard::sim {
namespace {

// What `call`, which was told not to wait, has returned, for a caller who would have waited where
// `errno` is `error`.
template <class Result>
Result Taken(Result result, int error, const char* what) {
  if (result == -1 && errno == error) Unsupported(what);
  return result;
}

void CheckQueue(mqd_t queue, short events, const char* what) {
  if (MayWait(queue) && !IsReady(queue, events)) Unsupported(what);
}

void CheckNotification(const sigevent* event) {
  if (event == nullptr || event->sigev_notify == SIGEV_NONE) return;
  // Who has filled it with zeros wants no signal either.
  if (event->sigev_notify != SIGEV_SIGNAL || event->sigev_signo != 0)
    Unsupported("asynchronous input or output that tells when it is ready");
}

}  // namespace
}  // namespace jacquard::sim

using jacquard::sim::CheckNotification;
using jacquard::sim::CheckQueue;
using jacquard::sim::engine;
using jacquard::sim::Taken;
using jacquard::sim::Unsupported;

extern "C" {

// ---- processes and signals

pid_t fork() noexcept {
  if (engine.Simulates()) Unsupported("fork");
  return JACQUARD_REAL(fork)();
}

// ---- input and output by threads of the C library, which tell when they are ready

#define JACQUARD_ASYNCHRONOUS(name, control)                           \
  int name(control* request) noexcept {                                \
    if (engine.Simulates()) CheckNotification(&request->aio_sigevent); \
    return JACQUARD_REAL(name)(request);                               \
  }
JACQUARD_ASYNCHRONOUS(aio_read, aiocb)
JACQUARD_ASYNCHRONOUS(aio_read64, aiocb64)
JACQUARD_ASYNCHRONOUS(aio_write, aiocb)
JACQUARD_ASYNCHRONOUS(aio_write64, aiocb64)

int lio_listio(int mode, aiocb* const* list, int count, sigevent* event) noexcept {
  if (engine.Simulates()) CheckNotification(event);
  return JACQUARD_REAL(lio_listio)(mode, list, count, event);
}
int lio_listio64(int mode, aiocb64* const* list, int count, sigevent* event) noexcept {
  if (engine.Simulates()) CheckNotification(event);
  return JACQUARD_REAL(lio_listio64)(mode, list, count, event);
}

// ---- children

pid_t wait4(pid_t child, int* status, int options, rusage* usage) {
  const auto real = JACQUARD_REAL(wait4);
  if (!engine.Simulates() || (options & WNOHANG) != 0) return real(child, status, options, usage);
  engine.current->spin.Reset();
  const pid_t ended = real(child, status, options | WNOHANG, usage);
  if (ended == 0) Unsupported("a wait for a child process");
  return ended;
}

pid_t wait3(int* status, int options, rusage* usage) noexcept {
  return wait4(-1, status, options, usage);
}

pid_t waitpid(pid_t child, int* status, int options) {
  return wait4(child, status, options, nullptr);
}

pid_t wait(int* status) { return wait4(-1, status, 0, nullptr); }

int waitid(idtype_t type, id_t id, siginfo_t* information, int options) {
  const auto real = JACQUARD_REAL(waitid);
  if (!engine.Simulates() || (options & WNOHANG) != 0) return real(type, id, information, options);
  engine.current->spin.Reset();
  siginfo_t mine = {};
  const int result = real(type, id, &mine, options | WNOHANG);
  if (result == 0 && mine.si_pid == 0) Unsupported("a wait for a child process");
  if (information != nullptr) *information = mine;
  return result;
}

// ---- message queues and semaphores of System V

ssize_t msgrcv(int queue, void* message, size_t size, long type, int flags) {
  const auto real = JACQUARD_REAL(msgrcv);
  if (!engine.Simulates() || (flags & IPC_NOWAIT) != 0)
    return real(queue, message, size, type, flags);
  engine.current->spin.Reset();
  return Taken(real(queue, message, size, type, flags | IPC_NOWAIT), ENOMSG, "a msgrcv that waits");
}

int msgsnd(int queue, const void* message, size_t size, int flags) {
  const auto real = JACQUARD_REAL(msgsnd);
  if (!engine.Simulates() || (flags & IPC_NOWAIT) != 0) return real(queue, message, size, flags);
  engine.current->spin.Reset();
  return Taken(real(queue, message, size, flags | IPC_NOWAIT), EAGAIN, "a msgsnd that waits");
}

int semtimedop(int set, sembuf* operations, size_t count, const timespec* time) noexcept {
  const auto real = JACQUARD_REAL(semtimedop);
  const auto waits = [](const sembuf& one) { return (one.sem_flg & IPC_NOWAIT) == 0; };
  if (!engine.Simulates() || !std::any_of(operations, operations + count, waits))
    return real(set, operations, count, time);
  engine.current->spin.Reset();
  // All are done, or none: a time limit in the past says the same as IPC_NOWAIT for each.
  const timespec none = {0, 0};
  return Taken(real(set, operations, count, &none), EAGAIN, "a semop that waits");
}

int semop(int set, sembuf* operations, size_t count) noexcept {
  if (!engine.Simulates()) return JACQUARD_REAL(semop)(set, operations, count);
  return semtimedop(set, operations, count, nullptr);
}

// ---- message queues of POSIX

ssize_t mq_timedreceive(mqd_t queue, char* message, size_t size, unsigned* priority,
                        const timespec* time) {
  CheckQueue(queue, POLLIN, "an mq_receive that waits");
  return JACQUARD_REAL(mq_timedreceive)(queue, message, size, priority, time);
}

ssize_t mq_receive(mqd_t queue, char* message, size_t size, unsigned* priority) {
  CheckQueue(queue, POLLIN, "an mq_receive that waits");
  return JACQUARD_REAL(mq_receive)(queue, message, size, priority);
}

int mq_timedsend(mqd_t queue, const char* message, size_t size, unsigned priority,
                 const timespec* time) {
  CheckQueue(queue, POLLOUT, "an mq_send that waits");
  return JACQUARD_REAL(mq_timedsend)(queue, message, size, priority, time);
}

int mq_send(mqd_t queue, const char* message, size_t size, unsigned priority) {
  CheckQueue(queue, POLLOUT, "an mq_send that waits");
  return JACQUARD_REAL(mq_send)(queue, message, size, priority);
}

}  // extern "C"
