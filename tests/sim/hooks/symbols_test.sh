#!/bin/bash
# symbols_test.sh OBJECT: what the prelinked runtime may define for others, and what it must not need.
set -u

object=$1
readonly HOOKS='__tsan_[a-z0-9_]+|__sanitizer_[a-z_]+|(WTF)?Annotate[A-Za-z]+|jacquard_weak_compare_exchange_fails|jacquard_inline_(access|locked|[lms]fence|rdtscp?)|__atomic_(load|store|exchange|compare_exchange)'
readonly THREADS='(pthread|sem|thrd|mtx|cnd|tss)_[a-z_]+|__pthread_((un)?register_cancel(_defer|_restore)?|unwind_next)|call_once|syscall|__errno_location|gettid|(sched_)?getcpu|sched_[gs]et(affinity|scheduler|param)|[gs]etpriority|uselocale|prctl|set(e|re|res)?[ug]id|(set|init)groups|(set|p)rlimit(64)?'
readonly WAITS='aio_(read|write)(64)?|lio_listio(64)?|fork|pause|sigqueue|sigsuspend|sigwait(info)?|sigtimedwait|wait([34]|pid|id)?|msg(rcv|snd)|sem(timed)?op|mq_(timed)?(receive|send)|readv?|p(read|write)v?(64)?|__pread(64)?_chk|eventfd_(read|write)|__(read|recv|recvfrom|p?poll)_chk|recv(from|m?msg)?|accept4?|p?poll|p?select|epoll_(ctl|p?wait2?)|writev?|send(to|m?msg|file(64)?)?|(vm)?splice|tee|connect|shutdown|flock|lockf|fcntl(64)?'
readonly SIGNALS='sigaction|raise|kill|sigaltstack|sigpending|signal|sigprocmask|(__)?sysv_signal|ssignal|sig(set|hold|relse|ignore|block|setmask)'
readonly TIME='u?alarm|[gs]etitimer|timer_(create|settime|gettime|getoverrun|delete)|sched_yield|nanosleep|usleep|sleep|times?|getrusage|clock|clock_[a-z]+|[gs]ettimeofday|(ntp_)?adjtimex?|timespec_get'
readonly HEAP='mmap(64)?|mprotect|mremap|munmap|jacquard_outside_(malloc|new|new_array|delete|delete_sized|mutex_lock|mutex_unlock)|malloc|malloc_usable_size|free|calloc|realloc|reallocarray|memalign|valloc|aligned_alloc|posix_memalign|strn?dup|v?asprintf|_Zn[wa]m.*|_Zd[la]P.*'
readonly TEXTS='str(n?len|n?cmp|r?chr|str|n?cpy|n?cat)|stpcpy|memcmp|bcmp|memchr|mempcpy|__(mem(p?cpy|move|set)|strn?c(py|at)|stpcpy)_chk'
readonly SHARED='strtok|gmtime|localtime(_r)?|asctime|ctime|(secure_)?getenv|(un)?setenv|putenv|clearenv|setlocale|(__)?(new|dup|free)locale'
readonly FILES='open|open64|openat|openat64|creat|creat64|mkstemp|mkstemp64|mkostemp|shm_open|signalfd|fdopendir|socket|epoll_create|epoll_create1|eventfd|timerfd_(create|gettime|settime)|inotify_init|inotify_init1|memfd_create|dup|pipe|pipe2|socketpair|close|dup2|dup3|fopen|fopen64|tmpfile|tmpfile64|open_memstream|fmemopen|fdopen|fileno|fileno_unlocked|freopen|fclose|opendir|closedir|chdir|fchdir|umask|flockfile|ftrylockfile|funlockfile'
readonly CXX='__cxa_guard_(acquire|release|abort)|__cxa_(atexit|at_quick_exit|finalize)|dl(open|close)|__cxa_thread_atexit|__cxa_allocate_(dependent_)?exception|__cxa_end_catch|_ZNSt15__exception_ptr13exception_ptr10_M_releaseEv|abort|_?exit|_Exit|quick_exit|on_exit|v?errx?|error|__assert_fail'
readonly CHANCE='s?rand(om)?|[dlm]rand48|[ejn]rand48|srand48|getrandom|getentropy|arc4random(_buf|_uniform)?|_ZNSt13random_device9_M_getvalEv'
readonly CONTAINERS='_ZSt2[0-9]_Rb_tree_(insert_and_rebalance|rebalance_for_erase).*|_ZNSt8__detail15_List_node_base.*|_ZNKSt8__detail20_Prime_rehash_policy.*'
readonly INTERFACE='_Z(N|NK|T[VISTC]N|GVN)8jacquard[A-Z0-9].*'
failed=0

# complain MESSAGE LINES
complain() {
  [[ -z $2 ]] && return
  echo "$1:"
  c++filt <<<"$2" | sed 's/^/  /'
  failed=1
}

[[ -s $object ]] || { echo "no object $object"; exit 1; }
defined=$(nm --defined-only --extern-only "$object" | awk 'NF == 3 { print $3 }')
undefined=$(nm --undefined-only "$object" | awk '{ print $NF }')

complain "global symbols that are not part of the interface" \
  "$(grep -vxE "$HOOKS|$THREADS|$WAITS|$SIGNALS|$TIME|$HEAP|$TEXTS|$SHARED|$FILES|$CXX|$CHANCE|$CONTAINERS|$INTERFACE" <<<"$defined")"
complain "global symbols of jacquard::sim" "$(c++filt <<<"$defined" | grep 'jacquard::sim')"
complain "the runtime is instrumented" "$(grep -E '^__(tsan|sanitizer)_' <<<"$undefined" | grep -vx __sanitizer_cov_dump)"
for symbol in __tsan_write4 __tsan_atomic32_load pthread_create _ZN8jacquard7ExecuteERNS_7ProgramERNS_8StrategyERKNS_16ExecutionOptionsEPNS_5TraceE; do
  grep -qxF "$symbol" <<<"$defined" || complain "missing" "$symbol"
done

# Names that a program may have for functions of its own; but what the runtime itself needs, it must find.
for symbol in wait send random error mtx_lock; do
  nm "$object" | grep -q " W $symbol\$" || complain "not weak" "$symbol"
done
complain "needed weakly" "$(nm "$object" | awk '$1 == "w" { print $2 }' | grep -vE '^__(start|stop)_|__waiter_pool_base|^__wrap_main$|^__llvm_profile_runtime$|^llvm_gcov_init$|^__sanitizer_cov_dump$')"

# objcopy has made local what is in there, not left it out.
grep -q ' [bBdD] _ZN8jacquard3sim6engineE$' <(nm "$object") || complain "the engine is missing" "jacquard::sim::engine"
exit $failed
