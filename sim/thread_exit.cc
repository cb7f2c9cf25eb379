// pthread_exit, and what a cancelled thread does: leaves the stack by force. Destructors run, as
// the C library has it, and what C code has asked for with pthread_cleanup_push, which in C is a
// jump buffer in the function's frame.
#include <pthread.h>
#include <setjmp.h>
#include <unwind.h>

#include <cstdint>

#include "sim/engine.h"
#include "sim/real.h"
#include "sim/sync.h"
#include "sim/threads.h"

namespace jacquard::sim {
namespace {

// The innermost place at which the thread is to clean up, and the one outside of it: in a word of
// the buffer that is for the library.
__pthread_unwind_buf_t*& Innermost() { return engine.current->cleanup; }
__pthread_unwind_buf_t* Outer(const __pthread_unwind_buf_t& buffer) {
  return static_cast<__pthread_unwind_buf_t*>(buffer.__pad[0]);
}

// The macro's code there calls the function, and then __pthread_unwind_next().
[[noreturn]] void CleanUp(__pthread_unwind_buf_t& buffer) {
  static_assert(sizeof(buffer.__cancel_jmp_buf) <= sizeof(__jmp_buf_tag));
  longjmp(reinterpret_cast<__jmp_buf_tag*>(buffer.__cancel_jmp_buf), 1);
}

void CaughtExit(_Unwind_Reason_Code /*reason*/, _Unwind_Exception* /*exception*/) {
  engine.Fail(
      VerdictKind::kAbort,
      engine.current->result == PTHREAD_CANCELED ? "cancellation caught" : "pthread_exit caught",
      "a handler for all exceptions has caught it, and does not throw it on");
}

_Unwind_Reason_Code StopAtBottom(int /*version*/, _Unwind_Action actions,
                                 _Unwind_Exception_Class /*exception_class*/,
                                 _Unwind_Exception* /*exception*/, _Unwind_Context* context,
                                 void* /*argument*/) {
  // What the unwinder tells of a frame that is next is its stack pointer.
  const uintptr_t next = _Unwind_GetCFA(context);
  const bool at_end = (actions & _UA_END_OF_STACK) != 0 || next >= engine.current->exit_frame;
  __pthread_unwind_buf_t* const buffer = Innermost();
  // In a frame that the unwinder has just left, which is all there still: it is deeper on the
  // stack.
  if (buffer != nullptr && (at_end || next > reinterpret_cast<uintptr_t>(buffer))) CleanUp(*buffer);
  if (at_end) engine.ExitThread();
  return _URC_NO_REASON;
}

[[noreturn]] void Unwind() {
  static thread_local _Unwind_Exception exception;
  exception = {};
  exception.exception_cleanup = CaughtExit;
  _Unwind_ForcedUnwind(&exception, StopAtBottom, nullptr);
  // There is nothing to unwind by.
  if (Innermost() != nullptr) CleanUp(*Innermost());
  engine.ExitThread();
}

}  // namespace

void LeaveThread(void* result, uintptr_t /*pc*/) {
  engine.current->result = result;
  engine.current->leaves = true;
  Unwind();
}

}  // namespace jacquard::sim

using jacquard::sim::engine;
using jacquard::sim::Innermost;
using jacquard::sim::Outer;

extern "C" {

void pthread_exit(void* result) {
  if (engine.Simulates()) jacquard::sim::LeaveThread(result, JACQUARD_CALLER);
  JACQUARD_REAL(pthread_exit)(result);
  __builtin_unreachable();
}

// What pthread_cleanup_push and pthread_cleanup_pop consist of, in C.

void __pthread_register_cancel(__pthread_unwind_buf_t* buffer) {
  if (!engine.Simulates()) return JACQUARD_REAL(__pthread_register_cancel)(buffer);
  buffer->__pad[0] = Innermost();
  Innermost() = buffer;
}

void __pthread_unregister_cancel(__pthread_unwind_buf_t* buffer) {
  if (!engine.Simulates()) return JACQUARD_REAL(__pthread_unregister_cancel)(buffer);
  Innermost() = Outer(*buffer);
}

// Those that put asynchronous cancellation off meanwhile.
void __pthread_register_cancel_defer(__pthread_unwind_buf_t* buffer) {
  if (!engine.Simulates()) return JACQUARD_REAL(__pthread_register_cancel_defer)(buffer);
  __pthread_register_cancel(buffer);
  int& type = engine.current->cancel_type;
  buffer->__pad[1] = type == PTHREAD_CANCEL_ASYNCHRONOUS ? buffer : nullptr;
  type = PTHREAD_CANCEL_DEFERRED;
}

void __pthread_unregister_cancel_restore(__pthread_unwind_buf_t* buffer) {
  if (!engine.Simulates()) return JACQUARD_REAL(__pthread_unregister_cancel_restore)(buffer);
  __pthread_unregister_cancel(buffer);
  if (buffer->__pad[1] != nullptr) pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, nullptr);
}

void __pthread_unwind_next(__pthread_unwind_buf_t* buffer) {
  if (engine.Simulates()) {
    Innermost() = Outer(*buffer);
    jacquard::sim::Unwind();
  }
  JACQUARD_REAL(__pthread_unwind_next)(buffer);
  __builtin_unreachable();
}

}  // extern "C"
